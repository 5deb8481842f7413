"""Plays the application's side for a controller and judges what it answers."""
