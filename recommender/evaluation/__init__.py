"""Protocols, metrics and significance."""
