"""What models learn from: interactions, sessions, impressions, and how they are split."""
