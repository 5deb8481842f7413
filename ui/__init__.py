"""The operator window: looks at snapshots, sends operator commands."""
