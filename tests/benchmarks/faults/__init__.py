"""Every fault of the simulated station: what is expected of the application, and what it did."""
