"""Sessions on disk: written losslessly, read back exactly."""
