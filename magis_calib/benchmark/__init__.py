"""The estimator against pictures whose answer is known. Shares no code with the fit: it calls it as
a user would.
"""
