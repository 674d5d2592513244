"""The boxes that AVIF and HEIC are made of, beyond their plain succession.

`meta` reads the list of items, `primary` says what it means for the picture that is shown, `edits`
changes a file in memory. It imports the containers.
"""
