"""What `benchmarks/conv.py` measures, how, and what it writes."""
