"""From data and a config to an artifact."""
