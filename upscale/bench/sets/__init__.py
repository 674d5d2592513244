"""A word becomes pictures to measure with: `datasets` by name, `picture_sets` of a folder.

`archives` unpacks what was fetched. It imports pictures, models (for fetching) and batch (for the
order of files). The benchmark and training take their pictures from here.
"""
