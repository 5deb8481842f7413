"""The hidden physics of the pretend station: atoms, light, sensor, noise."""
