"""Real-time calibration control for the MAGIS-100 atom interferometer."""

__version__ = "0.1.0"
