"""How an image file is read: decoded, brought to 8-bit RGB and turned upright.

All data sets, training, evaluation and shifts read files by `image.read_image` (docs/data.md).
Imports no torch.
"""
