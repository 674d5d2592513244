"""People rate results without knowing whose they are: a study, its page, its server, its findings.

`study` is the folder, `key` names what is in it, `prepare` fills it, `page` is what raters see and
`server` gives it to them, `ratings` keeps their answers, `findings` makes figures of them. It
imports bench and everything below. `upscale rate` is its command.
"""
