"""What search refuses.

SearchError             a query that cannot be answered, in words for the one who typed it
└── QueryTooLongError   it is longer than any title
ArrayShapeError         a caller's array does not fit the documents
DocumentOrderError      an added document's id is not above all others
"""


class SearchError(Exception):
    """A query that cannot be answered, in words for the one who typed it."""


class QueryTooLongError(SearchError):
    pass


class ArrayShapeError(ValueError):
    pass


class DocumentOrderError(ValueError):
    pass
