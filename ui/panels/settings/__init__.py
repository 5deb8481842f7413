"""The setpoint vectors of the run, and the way back to one."""
