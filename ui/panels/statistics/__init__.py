"""How one quantity scatters from drop to drop, and averages down."""
