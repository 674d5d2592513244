"""Fetches files from the network or from packages.

`sources` names the sources of a file, `download` fetches it by HTTP and `package_clients` with pip
and npm. It imports nothing else of the models. The cache and the sets of the benchmark use it.
"""
