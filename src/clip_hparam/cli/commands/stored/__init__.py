"""Commands that use the stored weights of trials, without training."""
