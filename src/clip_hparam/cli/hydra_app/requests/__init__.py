"""What a design and the command line ask for: the trials of cells, or the spec of a search."""
