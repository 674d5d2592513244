"""Two pictures, or one, become a figure.

`protocol` names the metrics and their rules, `by_name` makes them, the other files compute one
each. It imports pixels and models (for the weights of learned metrics). The benchmark, training
and the pages take figures from here.
"""
