"""What is done with stored weights, without training: WiSE-FT, soups, temperature scaling."""
