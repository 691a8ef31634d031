"""Pages of docs/reference, generated from the code: knobs, designs, commands, schemas, Python."""
