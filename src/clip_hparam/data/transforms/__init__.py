"""Augmentation: random crops, RandAugment, colour jitter, random erasing, mixup and cutmix.

A new augmentation goes here. It needs both backends of `augment_backend`: tensor.py (a batch at a
time, after the crop) and timm_pipeline.py (an image at a time). data/batches.py applies mixup and
cutmix.
"""
