"""Finding candidates: exact top k and the vector index."""
