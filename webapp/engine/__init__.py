"""The composition root: the live release, and the answers made with it."""
