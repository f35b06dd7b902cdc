"""Errors of the recommender, all under one base class.

RecommenderError
├── InvalidInputError      a caller's value is not allowed (also a ValueError)
├── NotFittedError         a model was asked before it learned
├── ArtifactError          an artifact on disk is missing, broken or of another kind
├── TooLargeError          the work would not fit in the memory allowed
└── ClusterError           a cluster does not answer, or failed too often
"""


class RecommenderError(Exception):
    """Anything the recommender refuses to do, in words for whoever can act."""


class InvalidInputError(RecommenderError, ValueError):
    pass


class NotFittedError(RecommenderError):
    pass


class ArtifactError(RecommenderError):
    pass


class TooLargeError(RecommenderError):
    pass


class ClusterError(RecommenderError):
    pass
