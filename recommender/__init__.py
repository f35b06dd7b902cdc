"""Numeric recommendation: models, retrieval, ranking, evaluation, training and serving."""
