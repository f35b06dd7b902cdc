"""Surfaces: the parts of the site where a title can be shown."""

from enum import StrEnum


class Surface(StrEnum):
    """Where on the site something was shown or done."""

    HOME = "home"
    TITLE = "title"
    WATCH = "watch"
    PREQUERY = "prequery"
    SEARCH = "search"
    LIST = "list"
    GENRE = "genre"
    PERSON = "person"
