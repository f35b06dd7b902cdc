"""Titles, genres, people and credits; importers."""
