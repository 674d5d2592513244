"""One step of a training, and all that it changes.

`step` updates generator and discriminator, `state` keeps the networks, the average and the
optimizers between two steps, `schedules` gives the rates, and `distributed` shares a step between
processes. It imports the losses, the recipes and the start of training; the loop and the keeper
take it from here.
"""
