"""Folders of images: their splits and classes, and the files that cannot be decoded.

Imports no torch.
"""
