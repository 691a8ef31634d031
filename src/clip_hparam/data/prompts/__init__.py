"""Zero-shot prompts: class names and templates of the data set, or from files.

Imports no torch.
"""
