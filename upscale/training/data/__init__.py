"""Pictures in folders become batches of (LR, HR) patches.

`store` decodes a folder once, `mixture` draws from several folders by their `shares`, `patches`
cuts batches, and `degrading` degrades pictures as cameras and the web do. It imports pixels,
pictures, models (for the cache) and batch (to walk folders). The training loop takes batches.
"""
