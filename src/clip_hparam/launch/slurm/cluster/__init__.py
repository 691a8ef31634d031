"""What the cluster offers, and whether a job fits it, asked before anything is submitted."""
