"""Searching for better points: candidates, their quick estimate, measured halving, the store, the Pareto front."""
