"""Colours, type and number formats of the window."""
