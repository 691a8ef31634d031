"""RandAugment of timm's strings on whole batches of uint8 images, on any device."""
