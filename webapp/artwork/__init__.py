"""Drawn posters and backdrops for titles without pictures, as SVG, in plain Python."""
