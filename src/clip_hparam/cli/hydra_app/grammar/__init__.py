"""The grammar of overrides: keys, values, levels and references, of the command line and files."""
