"""One module a vendor: what `upscale.stores.vendor.Vendor` asks of it, by its fsspec library.

Each imports that library when its class is made. It imports `vendor` and `urls`.
"""
