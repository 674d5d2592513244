"""Object storage: s3://, gs:// and az:// beside memory://, through fsspec (the extra ``cloud``).

`store.store_of` gives the `store.Store` of a URL: it lists, reads, and writes whole objects, and is
patient (`patience`) where the storage is busy or breaks off. `urls` takes URLs apart. What a vendor
has to do is `vendor.Vendor`; `vendors` has one module a vendor. `failures` says to the user what
went wrong. It imports errors and files only, and fsspec when the first store is asked for.
"""
