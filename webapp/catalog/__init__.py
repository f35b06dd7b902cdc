"""Titles, genres, people and credits; importers and drawn posters."""
