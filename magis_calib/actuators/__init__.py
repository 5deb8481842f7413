"""The loop's way to the controllers: readiness checks, moves with read-back, and which setpoints
each drop saw.
"""
