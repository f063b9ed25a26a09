"""The sections of benchmarks/packed.py."""
