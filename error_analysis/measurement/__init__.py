"""Measured errors: data, statistics, reports, comparisons."""
