"""The same fit on image files, without a run."""
