"""From a pair of images to one station estimate with covariance."""
