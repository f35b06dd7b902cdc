"""Training runs and the releases they publish."""
