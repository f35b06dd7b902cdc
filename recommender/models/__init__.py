"""One model a file: its config, what it learned, fit and score."""
