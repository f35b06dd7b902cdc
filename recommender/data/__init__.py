"""Training data: interactions, sessions, impressions, and their splits."""
