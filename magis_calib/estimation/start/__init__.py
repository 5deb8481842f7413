"""Start values that never need help, and the second estimator: moments and Fourier peaks."""
