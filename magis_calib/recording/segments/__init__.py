"""The HDF5 files that a session is made of: their layout, one to read, one to write, their sums."""
