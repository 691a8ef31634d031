"""What can be typed: knobs, sweeps and recipes, as help pages, lists and shell completion."""
