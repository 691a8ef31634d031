"""Evidence of single cells: their results, and the trial of a cell that is exported."""
