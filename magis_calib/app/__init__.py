"""Puts a run together: live or simulated, with a window or headless, to its report."""
