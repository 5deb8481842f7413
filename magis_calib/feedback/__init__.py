"""From an estimate to a correction, or to a hold with its reason."""
