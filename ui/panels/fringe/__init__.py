"""The fringe: its profile, its phase, its numbers."""
