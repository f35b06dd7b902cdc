"""Bring titles into the catalogue: files to lines, lines to checked values, values to tables."""
