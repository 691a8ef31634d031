"""Evidence from searches and sampled designs: summary, importance of knobs, cheap runs."""
