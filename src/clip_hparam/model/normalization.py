"""Mean and standard deviation of pixels by which image towers normalise. Standard library only."""

ChannelValues = tuple[float, float, float]

# of OpenAI's CLIP; FT-CLIP's code uses them only with --clip_mean_and_std, and 0.5 otherwise
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
CLIP_NORMALIZATION = "clip"
NORMALIZATIONS: dict[str, tuple[ChannelValues, ChannelValues]] = {
    CLIP_NORMALIZATION: (CLIP_MEAN, CLIP_STD),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "inception": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}
"""Value of `encoder.pixels` -> mean and sd of red, green and blue, for pixels in [0, 1].

Source: timm and open_clip.
"""
