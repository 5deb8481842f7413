"""What the simulated station can be told to do wrong."""
