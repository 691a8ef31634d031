"""Import results of other tools: rows of text get roles, then types, and become a `TrialTable`."""
