"""Slates: what each response showed, who saw it, and what can be learned from it."""
