"""Pictures in folders become batches of (LR, HR) patches.

`store` decodes a folder once, `patches` cuts batches from it, and `blind` degrades as cameras and
the web do. It imports pixels, pictures and batch (to walk folders). The loop takes batches.
"""
