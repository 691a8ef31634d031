"""Evidence from studies: the effects of a screening, the race of a proof, the answer."""
