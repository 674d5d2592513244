"""One module per vendor: `upscale.stores.vendor.Vendor` through its fsspec library.

Each imports that library when its class is instantiated. It imports `vendor` and `urls`.
"""
