"""``upscale bench``: `options` declares its options, `checks` refuses those that make no sense.

`makers` makes the contenders, and `bench` measures, prints and draws. It imports terminal and, when
it runs, the benchmark.
"""
