"""What to expect before running: the worst case, the statistical estimate, tolerances."""
