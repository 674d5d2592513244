"""Output on a terminal, and commands made of options.

`console` prints, `bars` show progress, `following` shows a training, `default_group` makes one
command the default, and `options` makes a command of a dataclass. It imports errors, tables and
`upscale.upscaling.options`. Every command uses it.
"""
