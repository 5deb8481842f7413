"""Charts of observables, actuators and health over drops."""
