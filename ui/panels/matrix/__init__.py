"""The response matrix in force beside the one measured last."""
