"""The commands: the only place that sees every package."""
