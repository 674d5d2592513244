"""What a JPEG is made of before its first scan, and what a telephone puts beside its picture.

`segments` walks the markers, `surroundings` names what lies beside. It imports the containers.
Recognition, readers and metadata take the segments from it.
"""
