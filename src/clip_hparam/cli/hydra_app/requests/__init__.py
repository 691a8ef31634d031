"""Turn a design and the command line into the trials of cells, or the specification of a search."""
