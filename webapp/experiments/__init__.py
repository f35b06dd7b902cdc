"""Experiments: arms, who is in which, what an arm changes, and what came of it."""
