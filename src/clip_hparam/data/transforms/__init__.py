"""Augmentation: random crops, colour jitter, random erasing, mixup and cutmix.

A new augmentation goes here. It needs both backends of `augment_backend`: tensor.py (images in
memory, a batch at a time) and timm_pipeline.py (files, an image at a time). data/batches.py applies
mixup and cutmix.
"""
