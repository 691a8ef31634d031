"""The image tower: architectures, pretrained weights, classifier, depth of each parameter.

A new head goes here. A new bundled encoder is an entry of `architectures.BUNDLED_ENCODERS`.
"""
