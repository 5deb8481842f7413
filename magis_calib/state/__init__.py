"""What a run shows and may be asked.

Frozen snapshots and commands, the seam of every view of a run.
"""
