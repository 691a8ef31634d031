"""The checks of benchmarks/gpu_check.py, a module for each group."""
