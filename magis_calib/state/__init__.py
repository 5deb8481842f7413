"""What a run shows and may be asked: frozen snapshots and commands, the seam of every view of a
run.
"""
