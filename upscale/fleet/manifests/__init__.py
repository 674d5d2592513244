"""Reads a given list of pictures, in place of a search: ``@FILE``.

`manifest` opens a list, on this machine or in a store; `columns` turns a line into a row; `lines`,
`delimited` and `parquet` each read a kind of file, and `inventory` reads that of Amazon S3, which
has several files. Rows are read on demand. It imports stores and errors, and pyarrow for a Parquet
file.
"""
