"""Outputs compared with what a run would make: what is missing, stale, damaged, or too much.

`finding` says what may be wrong, `lying` what is there, `inspection` looks at one output, and
`audit` at all of them. Nothing is written. It imports carrying, batch, stores and everything below.
"""
