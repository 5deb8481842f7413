"""Pictures of results, drawn by matplotlib: the only room that imports it."""
