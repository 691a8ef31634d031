"""The table of derived results: WiSE-FT, soups, temperatures, evaluations of given weights."""
