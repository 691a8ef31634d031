"""From a recipe to a resolved recipe: each `auto` gets a value, impossible recipes are refused.

`describe` is here as well; `estimates` holds cost, FLOPs and memory. Imports no torch.
"""
