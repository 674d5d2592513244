"""Files that come from elsewhere: where from, and how.

`sources` says where a file comes from, `download` fetches it by HTTP and `package_clients` by pip
and npm. Nothing else of the models is imported. The cache and the sets of the benchmark use it.
"""
