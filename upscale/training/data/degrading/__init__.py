"""HR → LR as cameras and the web do it, for input of unknown history.

`blind` degrades a patch, `degradations` says what may happen to it, and `kernels` draws a blur. It
imports pixels alone.
"""
