"""The small commands: compare, convert, doctor, models, sweep and train.

Each imports the rooms that it shows, and `upscale.cli.terminal`. `upscale.cli.app` assembles them.
"""
