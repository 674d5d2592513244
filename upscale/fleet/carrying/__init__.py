"""Pictures between stores and this machine, in threads beside the network.

`depot` is the folder for what is on its way, and bounds it; `cargo` a picture on its way. `arrival`
brings one here, unless its output is up to date; `departure` takes a result to its store; `marks`
says what stands in the metadata of an object, to skip by. `carrier` does both ahead of and behind
a batch. It imports stores, batch and everything below.
"""
