"""Profiles and what each keeps: list, ratings, hidden titles."""
