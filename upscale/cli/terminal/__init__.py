"""What a person sees on a terminal, and how words become options.

`console` prints, `bars` show progress, `following` shows a training, `default_group` lets a command
go unnamed, and `options` makes a command of a dataclass. It imports errors, tables and
`upscale.upscaling.options`. Every command uses it.
"""
