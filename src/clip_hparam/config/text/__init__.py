"""Values as text: overrides as they are typed, durations, names that other tools have for knobs."""
