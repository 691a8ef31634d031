"""Compilation of the forward and backward pass of a model with torch.compile."""
