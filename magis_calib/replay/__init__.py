"""A recording played again: as a frame source, compared, estimated anew, and asked what would have
happened.
"""
