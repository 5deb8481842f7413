"""Controllers and cameras that lie, against a whole run of the application."""
