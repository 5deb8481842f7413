"""From counts to electrons, masked and binned."""
