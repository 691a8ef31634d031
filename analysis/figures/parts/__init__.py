"""Parts that several figures share: rows of a ladder, dots of seeds, the axis of a knob."""
