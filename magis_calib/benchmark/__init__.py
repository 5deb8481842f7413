"""The estimator against pictures with known answers. It calls the fit as a user would."""
