"""Whether this machine and this station are ready for a run."""
