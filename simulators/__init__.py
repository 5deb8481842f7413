"""A pretend instrument behind the same wire as the real one."""
