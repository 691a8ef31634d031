"""End of a trial: evaluation of the trained models on all of its sets, result columns, cost."""
