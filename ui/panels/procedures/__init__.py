"""Procedures: begun, followed, and their products."""
