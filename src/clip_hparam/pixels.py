"""How CLIP normalises pixels. Standard library only: the tiny CLIP's identity needs no numpy."""

# OpenAI's CLIP; without the --clip_mean_and_std flag the official code falls back to 0.5
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
