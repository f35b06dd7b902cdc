"""A title's poster: the operator's picture or the drawn one, its address and what it is drawn from.

The drawing itself is `webapp.artwork`, which does not know the database.
"""

from django.db.models import Prefetch

from webapp.artwork.posters import PosterSpec, poster_version
from webapp.catalog.models import Credit, Title

DIRECTORS = Prefetch(
    "credits",
    Credit.objects.filter(role=Credit.Role.DIRECTOR).select_related("person"),
    to_attr="director_credits",
)
"""For `prefetch_related`, so that a poster can name the director."""


def poster_spec(title: Title) -> PosterSpec:
    """Return what the title's poster is drawn from.

    Uses the prefetched genres. The director is named only if `DIRECTORS` was prefetched, so that a
    page of many titles does not read their credits.
    """
    directors: list[Credit] = getattr(title, "director_credits", [])
    return PosterSpec(
        external_id=title.external_id,
        name=title.name,
        year=title.year,
        genres=tuple(genre.name for genre in title.genre_list),
        director=directors[0].person.name if directors else "",
    )


def poster_url(title: Title) -> str:
    """Return the address of the operator's poster, or of the drawn one where there is none."""
    return title.poster_url or drawn_poster_url(title)


def drawn_poster_url(title: Title) -> str:
    """Return the address of the drawn poster, which also replaces a picture that fails to load."""
    return f"/posters/{title.pk}.svg?v={poster_version(poster_spec(title))}"


def backdrop_url(title: Title) -> str:
    """Return the address of the drawn backdrop."""
    return f"/backdrops/{title.pk}.svg?v={poster_version(poster_spec(title))}"
