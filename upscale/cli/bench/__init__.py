"""``upscale bench``: `options` are its words, those of `competing` also of ``upscale rate``.

`checks` refuses what makes no sense, `makers` makes what competes, and `bench` measures, prints and
draws. It imports terminal and, when it runs, the benchmark.
"""
