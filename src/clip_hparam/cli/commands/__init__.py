"""The commands of `clip-hparam`, one module per group; a new command goes here."""
