"""Matrices and point sets of other people: what they are, and how good."""
