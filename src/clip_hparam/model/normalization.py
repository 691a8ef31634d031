"""How image towers normalise pixels. Standard library only: the plan needs no numpy."""

ChannelValues = tuple[float, float, float]

# OpenAI's CLIP; without the --clip_mean_and_std flag the official code falls back to 0.5
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
CLIP_NORMALIZATION = "clip"
NORMALIZATIONS: dict[str, tuple[ChannelValues, ChannelValues]] = {
    CLIP_NORMALIZATION: (CLIP_MEAN, CLIP_STD),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "inception": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}
"""encoder.pixels -> mean and sd of red, green and blue on a scale of 1 (timm's and open_clip's)."""
