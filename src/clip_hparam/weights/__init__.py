"""Results of stored weights, without training: WiSE-FT, soups, temperature scaling."""
