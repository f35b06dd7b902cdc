"""The films that the search benchmark looks through, and what people may type to find them."""

import math
import random
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from search.engine import Document
from search.query import MAX_CHARACTERS
from search.text import ARTICLES, fold

NUM_DOCUMENTS = 60_000
_TURNED = re.compile(r"^(?P<rest>.+), (?P<article>[A-Z][a-z]{0,2}|L')$")
PREFIX_SHARE = 0.6
SHORTEST_WITH_A_MISTAKE, SHORTEST_WITH_TWO = 5, 9
LETTERS = string.ascii_lowercase


def documents(data: Path) -> Iterator[Document]:
    """Yield 60,000 films: IMDb's, then Wikipedia's with marks in their names, then others of it.

    IMDb's file has neither casts nor plots; those of Wikipedia's films are dealt out in turn, so
    that the index has a true size. Who plays in what is made up thereby.
    """
    imdb = pq.read_table(data / "ggplot2movies" / "movies.parquet", columns=["title", "year"])
    pairs = dict.fromkeys((row["title"], row["year"]) for row in imdb.to_pylist())
    films = pq.read_table(
        data / "wikipedia-movies" / "movies.parquet",
        columns=["title", "year", "cast", "genres", "extract"],
    ).to_pylist()
    shown = [(article_in_front(name), year) for name, year in pairs]
    others = sorted(films, key=lambda film: film["title"].isascii())
    shown += [
        (film["title"], film["year"]) for film in others if len(film["title"]) <= MAX_CHARACTERS
    ]
    for number, (name, year) in enumerate(shown[:NUM_DOCUMENTS]):
        dealt = films[number % len(films)]
        yield Document(
            id=number,
            name=name,
            people=tuple(dict.fromkeys(dealt["cast"])),
            genres=tuple(dict.fromkeys(dealt["genres"])),
            year=year,
            plot=dealt["extract"] or "",
        )


@dataclass(frozen=True)
class Kind:
    """One way to type names.

    Attributes:
        name: as reported.
        typed: what is typed for a name, None where the name does not lend itself to it.
        places: the film counts as found within so many.
        bar: the least share that must be found.
    """

    name: str
    typed: Callable[[str, random.Random], str | None]
    places: int
    bar: float


def with_mistake(text: str, rng: random.Random) -> str:
    """Put in, leave out, replace or swap a letter, anywhere; the text is another one after it."""
    while True:
        place = rng.randrange(len(text))
        kind = rng.choice(("insert", "delete", "replace", "swap"))
        letter = rng.choice(LETTERS)
        if kind == "insert":
            place = rng.randrange(len(text) + 1)
            made = text[:place] + letter + text[place:]
        elif kind == "delete":
            made = text[:place] + text[place + 1 :]
        elif kind == "replace":
            made = text[:place] + letter + text[place + 1 :]
        else:
            made = text[:place] + text[place : place + 2][::-1] + text[place + 2 :]
        if fold(made) != fold(text) and fold(made):
            return made


def _mistaken(name: str, rng: random.Random) -> str | None:
    return with_mistake(name.lower(), rng) if _letters(name) >= SHORTEST_WITH_A_MISTAKE else None


def _twice_mistaken(name: str, rng: random.Random) -> str | None:
    if _letters(name) < SHORTEST_WITH_TWO:
        return None
    return with_mistake(with_mistake(name.lower(), rng), rng)


def _begun(name: str, rng: random.Random) -> str | None:
    begun = name[: max(1, math.ceil(PREFIX_SHARE * len(name)))].lower()
    return begun if fold(begun) else None


def _begun_with_mistake(name: str, rng: random.Random) -> str | None:
    begun = _begun(name, rng)
    if begun is None or _letters(name) < SHORTEST_WITH_A_MISTAKE:
        return None
    return with_mistake(begun, rng)


def _shuffled(name: str, rng: random.Random) -> str | None:
    words = name.lower().split()
    if len(words) < 2:
        return None
    return " ".join(rng.sample(words, len(words)))


def _without_articles(name: str, rng: random.Random) -> str | None:
    words = name.lower().split()
    kept = [word for word in words if fold(word) not in ARTICLES]
    return " ".join(kept) if 0 < len(kept) < len(words) and fold(" ".join(kept)) else None


def _without_marks(name: str, rng: random.Random) -> str | None:
    return None if name.isascii() else fold(name) or None


KINDS = (
    Kind("exact", lambda name, rng: name, 1, 0.999),
    Kind("one mistake", _mistaken, 10, 0.99),
    Kind("two mistakes", _twice_mistaken, 10, 0.98),
    Kind("60 % of it", _begun, 10, 0.96),
    Kind("60 % of it, one mistake", _begun_with_mistake, 10, 0.88),
    Kind("words shuffled", _shuffled, 10, 0.99),
    Kind("articles dropped", _without_articles, 10, 0.99),
    Kind("marks dropped", _without_marks, 10, 0.99),
)


def queries(names: list[str], kind: Kind, count: int, seed: int) -> list[tuple[str, str]]:
    """Return at most so many pairs of what is typed and the name meant, drawn at random."""
    rng = random.Random(seed)  # noqa: S311  queries, not secrets
    found: list[tuple[str, str]] = []
    for name in rng.sample(names, len(names)):
        typed = kind.typed(name, rng)
        if typed is not None:
            found.append((typed, name))
            if len(found) == count:
                break
    return found


def _letters(name: str) -> int:
    return sum(map(str.isalpha, name))


def article_in_front(name: str) -> str:
    """Return "The Godfather" for "Godfather, The"."""
    found = _TURNED.match(name)
    if found is None or fold(found["article"]) not in ARTICLES:
        return name
    return f"{found['article']} {found['rest']}".replace("L' ", "L'")
