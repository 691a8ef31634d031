"""What is asked for: knobs, the recipe, the machine and the driver keys, as frozen dataclasses.

Standard library only. A new kind of option goes here.
"""
