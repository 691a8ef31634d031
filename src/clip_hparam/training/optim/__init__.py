"""Optimizer of a trial: parameter groups, lr schedule, AdamW and EMA on flat parameters."""
