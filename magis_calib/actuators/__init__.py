"""The loop's way to the controllers: readiness, moves, read-backs, setpoints of each drop."""
