"""People rate results without knowing their systems: a study, its page, server and findings.

`study` is the folder, `key` names its pictures, `prepare` fills it, `page` makes the page for
raters and `server` serves it, `ratings` keeps the answers, `findings` computes figures from them.
It imports bench and everything below. `upscale rate` is its command.
"""
