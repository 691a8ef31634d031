"""The device of an attempt: deterministic algorithms, and what its log says about the device."""
