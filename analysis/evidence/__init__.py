"""What the trials of a sweep show: paired differences, best cell, importance, published numbers."""
