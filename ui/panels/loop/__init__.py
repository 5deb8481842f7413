"""The loop: its state, observables and actuators."""
