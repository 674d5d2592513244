"""A list of pictures that somebody else made, in place of looking for them: ``@FILE``.

`manifest` opens one, on this machine or in a store, and says what it lists; `columns` makes a row
of a line; `lines`, `delimited` and `parquet` each read a kind of file, and `inventory` that of
Amazon S3, which is several files. A row is read when it is asked for. It imports stores and errors,
and pyarrow where there is a Parquet file.
"""
