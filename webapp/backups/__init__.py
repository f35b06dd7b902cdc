"""Backups: the database and the artifacts in one archive, and back into an empty site."""
