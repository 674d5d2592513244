"""Transfers pictures between stores and this machine, in threads beside the network.

`depot` is the folder for pictures in transfer, and limits them; a `cargo` is one of them. `arrival`
fetches a picture unless its output is up to date; `departure` stores a result; `marks` are the
metadata of an object that let a run skip it. `carrier` fetches ahead of a batch and stores behind
it. It imports stores, batch and everything below.
"""
