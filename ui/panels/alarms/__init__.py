"""What is wrong now, since when, and who knows of it."""
