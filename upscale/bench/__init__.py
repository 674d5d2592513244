"""Measures models on sets of pictures: a table beside the published figures.

`contenders` defines the competing systems, `measure` runs each and counts time and memory,
`gallery` shows pictures. The room `sets` finds the pictures, the room `tables` prints rows beside
those of papers. It imports viewing, metrics and everything below. `upscale bench` and the
validation of training use it.
"""
