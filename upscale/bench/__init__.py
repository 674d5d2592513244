"""Models and sets of pictures become a table beside the published figures.

`contenders` are what competes, `measure` lets each work and counts time and memory, `gallery` shows
pictures. The room `sets` finds the pictures, the room `tables` prints rows beside those of papers.
It imports viewing, metrics and everything below. `upscale bench` and the validation of training use
it.
"""
