"""Compares outputs with those of a run: which are missing, stale, damaged, or extra.

`finding` defines the findings, `lying` lists the existing outputs, `inspection` checks one output,
and `audit` all of them. It writes nothing. It imports carrying, batch, stores and everything below.
"""
