"""Augmentation: random crops, colour jitter, random erasing, mixup and cutmix.

A new augmentation goes here.
"""
