"""What operators see: whether the recommender helps, for whom, and how sure that is."""
