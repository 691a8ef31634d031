"""RandAugment of timm's strings on whole batches of 8-bit images, on any device."""
