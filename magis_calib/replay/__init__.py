"""A recording played again: as a source, compared, estimated anew, and asked what if."""
