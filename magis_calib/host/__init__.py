"""The machine and the user that the program runs for."""
