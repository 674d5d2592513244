"""Pictures in folders become batches of (LR, HR) patches.

`store` decodes a folder once, `patches` cuts batches from it, and `blind` degrades as cameras and
the web do. It imports pixels, pictures, models (for the cache) and batch (to walk folders). The
training loop takes batches.
"""
