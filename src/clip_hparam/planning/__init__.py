"""From a recipe to a resolved recipe: each `auto` gets a value, impossible recipes are refused.

Cost, FLOPs and `describe` are computed here as well. Imports no torch.
"""
