"""``upscale bench``: `options` are its words, `checks` refuses what makes no sense.

`makers` makes what competes, and `bench` measures, prints and draws. It imports terminal and,
when it runs, the benchmark.
"""
