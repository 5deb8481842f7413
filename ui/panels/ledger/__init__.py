"""Every decision of the loop, and all about one."""
