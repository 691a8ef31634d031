"""Read results of other tools: each reader returns a `Source`, rows of text with proposed roles."""
