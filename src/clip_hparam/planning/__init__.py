"""From a recipe to a resolved recipe: every `auto` becomes a value, mistakes are refused.

Cost, FLOPs and `describe` are computed here too. Imports no torch.
"""
