"""Errors of a family of points against its parameter."""
