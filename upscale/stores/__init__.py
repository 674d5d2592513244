"""Object storage: s3://, gs:// and az:// beside memory://, through fsspec (the extra ``cloud``).

`store.store_of` returns the `store.Store` of a URL. It lists, reads and writes whole objects, and
retries (`patience`) if the storage is busy or breaks off. `urls` parses URLs. `vendor.Vendor` is
the interface of a vendor; `vendors` has one module per vendor. `failures` tells the user what went
wrong. It imports errors and files only, and fsspec for the first store.
"""
