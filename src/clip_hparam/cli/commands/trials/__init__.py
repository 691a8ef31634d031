"""Commands that show trials: a list by a column, and one page of a trial."""
