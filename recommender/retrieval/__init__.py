"""Retrieval: exact top k and the vector index."""
