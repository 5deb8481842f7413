"""What the window shows, apart from Qt."""
