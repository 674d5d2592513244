"""`upscale INPUT…`: options, models, plan, run and report.

It imports the batch, models and `upscale.cli.terminal`. `upscale.cli.app` calls it.
"""
