"""Models: a config, `fit`, `score`, `save` and `load` each."""
