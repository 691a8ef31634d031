"""Help pages, lists and shell completion of knobs, sweeps and recipes."""
