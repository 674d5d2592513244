"""Models and sets of pictures become a table beside the published figures.

`datasets` finds or fetches a set and `archives` unpacks it, `picture_sets` pairs its pictures,
`contenders` are what competes, `measure` lets each work and counts time and memory. `published` has
the figures of others, `records` sets them beside ours, `tables` prints both, `gallery` shows
pictures. It imports viewing, metrics and everything below. `upscale bench` and the validation of
training use it.
"""
