"""What search refuses.

SearchError             a query that cannot be answered, in words for the one who typed it
├── QueryTooLongError   it is longer than any title
└── FacetError          what it should be narrowed or sorted by is unknown
ArrayShapeError         a caller's array does not fit the documents
DocumentOrderError      an added document's id is not above all others
"""


class SearchError(Exception):
    """A query that cannot be answered, in words for the one who typed it."""


class QueryTooLongError(SearchError):
    pass


class FacetError(SearchError):
    """What a search should be narrowed or sorted by is unknown.

    Attributes:
        parameter: which.
    """

    def __init__(self, parameter: str, words: str) -> None:
        super().__init__(words)
        self.parameter = parameter


class ArrayShapeError(ValueError):
    pass


class DocumentOrderError(ValueError):
    pass
