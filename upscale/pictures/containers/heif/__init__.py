"""What the boxes of AVIF and HEIC mean.

`meta` reads the list of items, and `primary` says what it means for the picture that is shown.
`edits` changes a file in memory, and `surroundings` names what lies beside the picture. It imports
the containers. The decoders and the writing of colours use it.
"""
