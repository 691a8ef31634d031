"""Read records into pandas frames: one row per trial, one row per epoch, and the sweeps."""
