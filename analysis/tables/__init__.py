"""Tables of the evidence, and how they are written as Markdown, LaTeX, CSV and HTML."""
