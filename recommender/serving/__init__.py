"""The recommender a web process holds: one release, answering requests."""
