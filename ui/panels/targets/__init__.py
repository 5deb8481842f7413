"""Targets, gains and limits of the run, changed after a question."""
