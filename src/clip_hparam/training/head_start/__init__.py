"""The first weights of the head: random, from CLIP's words, or from a linear probe."""
