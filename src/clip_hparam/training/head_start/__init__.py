"""Initial weights of the head: random, from CLIP's text tower, or from a linear probe."""
