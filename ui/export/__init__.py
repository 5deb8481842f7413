"""Plots written to files."""
