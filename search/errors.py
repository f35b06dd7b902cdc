"""What search refuses.

SearchError
└── QueryTooLongError   the query is longer than any title
"""


class SearchError(Exception):
    """A query that cannot be answered, in words for the one who typed it."""


class QueryTooLongError(SearchError):
    pass
