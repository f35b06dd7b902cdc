"""The demo catalogue and its histories."""
