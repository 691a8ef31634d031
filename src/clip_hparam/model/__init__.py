"""The image tower: architectures, pretrained weights, classifier, depth of each parameter.

A new encoder, or a new kind of head, goes here.
"""
