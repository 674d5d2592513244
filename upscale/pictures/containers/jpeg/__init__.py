"""What a JPEG holds before its first scan, and what a telephone puts beside its picture.

`segments` reads the markers, and `surroundings` names what lies beside the picture. It imports the
containers. Recognition, readers and metadata take the segments from it.
"""
