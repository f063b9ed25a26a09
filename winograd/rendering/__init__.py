"""Text made from Programs and Transforms: Python, C, CUDA, LaTeX, plain."""
