"""A replay asked what other settings would have given."""
