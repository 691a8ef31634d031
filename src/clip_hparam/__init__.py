"""Hyper-parameter sweeps and ablation studies for fine-tuning CLIP."""

__version__ = "0.1.0"
