"""Start values that never need help, and the second estimator: moments, searches and Fourier peaks
of one view.
"""
