"""Titles with all that pages show of them: ids in, each title with its genres and credits out.

One query reads what the ORM reads in three, and takes a third of its time. Genres and people are
shared between titles; whoever shows them must not change them.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from django.http import Http404

from webapp.catalog.models import UNRATED, Genre, Person, Title
from webapp.queries import Query

SQL = Path(__file__).parent / "sql"
COLUMNS = [field.attname for field in Title._meta.concrete_fields]
OF_CARDS = [name for name in COLUMNS if name != "plot"]
GENRES_SHARED, PEOPLE_SHARED = 1024, 16_384
"""Genres and people that a process keeps for the titles that it reads; about 700 bytes each."""


def title_with_people(pk: int, limit: int | None) -> Title | None:
    """Return a title with genres and credits at hand. One query.

    Args:
        pk: its id.
        limit: the age up to which titles may be shown; None for all.

    Returns:
        None where there is none within the limit.
    """
    is_limited = limit is not None and limit < UNRATED
    rows = _WITH_PEOPLE.rows(title=pk, limit=limit if is_limited else None)
    if not rows:
        return None
    *columns, genres, credits = rows[0]
    title = Title.from_db("default", COLUMNS, columns)
    title.genre_list = [_genre(*genre) for genre in genres or ()]
    people: dict[str, list[Person]] = {}
    for role, *person in credits or ():
        people.setdefault(role, []).append(_person(*person))
    title.people_by_role = people
    return title


def title_or_404(pk: int, limit: int | None) -> Title:
    """Return what `title_with_people` does.

    Raises:
        Http404: there is no such title within the limit.
    """
    title = title_with_people(pk, limit)
    if title is None:
        raise Http404("There is no such title.")
    return title


def titles_for_cards(ids: Iterable[int]) -> dict[int, Title]:
    """Return the titles with these ids, with genres at hand, without plots. One query."""
    titles = {}
    for *columns, genres in _FOR_CARDS.rows(titles=list(ids)):
        title = Title.from_db("default", OF_CARDS, columns)
        title.genre_list = [_genre(*genre) for genre in genres or ()]
        titles[title.pk] = title
    return titles


_genre = lru_cache(GENRES_SHARED)(Genre)
_person = lru_cache(PEOPLE_SHARED)(Person)
"""Rows of the ORM that titles share: to make one takes longer than all else of a credit."""
_WITH_PEOPLE = Query(SQL / "title_with_people.sql")
_FOR_CARDS = Query(SQL / "titles_for_cards.sql")
