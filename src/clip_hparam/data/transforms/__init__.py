"""Augmentation: random crops, colours, erasing, mixup and cutmix.

A new augmentation goes here.
"""
