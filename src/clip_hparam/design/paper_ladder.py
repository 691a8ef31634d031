"""The rungs of the paper's ladder and their cost. Standard library only."""

PAPER_V100_HOURS = {
    "baseline": 148.9,
    "lower_lr": 148.9,
    "ema": 150.1,
    "llrd": 151.1,
    "fewer_epochs": 75.6,
    "weak_aug": 75.6,
    "higher_resolution": 218.1,
}
"""Hours of one V100 by rung, for CLIP ViT-B/16 on ImageNet-1k. Source: Fig. 1 of arXiv 2212.06138
(CLIP Itself is a Strong Fine-tuner)."""
