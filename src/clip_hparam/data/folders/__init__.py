"""What a folder of images means: its splits and classes, and which of its files can be decoded.

Imports no torch.
"""
