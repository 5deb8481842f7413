"""A long accelerated run with random faults and the window open."""
