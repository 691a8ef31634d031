"""The commands of `clip-hparam`, one module per group."""
