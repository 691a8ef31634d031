"""Results of a sweep: paired differences, best cell, importance of knobs, published numbers."""
