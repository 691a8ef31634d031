"""Parameters in addition to those of the tower: low-rank updates (LoRA) and CLIP's logit scale."""
