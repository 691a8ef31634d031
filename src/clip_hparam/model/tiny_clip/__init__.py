"""CLIP of 0.3 M parameters that is installed with the package, and its pre-training."""
