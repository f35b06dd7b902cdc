"""Training runs: data and a config in, artifacts out."""
