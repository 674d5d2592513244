"""HR → LR as cameras and the web do it, for input of unknown history.

`blind` degrades a patch, `degradations` holds the settings, and `kernels` draws a blur. It imports
pixels only.
"""
