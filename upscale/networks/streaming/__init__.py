"""Networks over rows that come from top to bottom.

`program` reads from a network's ``forward`` what each layer does to rows, and `stream` runs that
band by band. It imports the layers beside it. Models make streams, and the engine feeds them.
"""
