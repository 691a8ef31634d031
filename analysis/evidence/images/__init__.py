"""Evidence from single test images: which of them each trial classifies correctly."""
