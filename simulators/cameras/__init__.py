"""The pretend camera drivers."""
