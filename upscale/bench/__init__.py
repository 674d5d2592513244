"""Models and sets of pictures become a table beside the published figures.

`datasets` finds or fetches a set, `contenders` are what competes, `measure` does the work, `tables`
prints it. It imports viewing, metrics and everything below. `upscale bench` and the validation of
training use it.
"""
