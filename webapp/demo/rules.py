"""Rules of the demo: what its operator decided, because its films say nothing of characters."""

from webapp.catalog.models import Title
from webapp.rules.models import Rule

NOTE = "the demo: its catalogue has no characters"
PINNED = {
    ("james bond", "007", "james bond movies", "james bond films", "bond movies", "bond films"): (
        ("Goldfinger", 1964), ("GoldenEye", 1995), ("Casino Royale", 2006), ("Dr. No", 1962),
        ("From Russia with Love", 1963),
    ),
}  # fmt: skip
"""Searches, and the films that stand first for them."""


def add_rules() -> int:
    """Pin films, each once, and return how many rules are new. A few queries."""
    number = 0
    for texts, films in PINNED.items():
        for position, (name, year) in enumerate(films, start=1):
            title = Title.objects.filter(name=name, year=year).first()
            if title is None:
                continue
            _, is_new = Rule.objects.get_or_create(
                act=Rule.Act.PIN,
                title=title,
                note=NOTE,
                defaults={"queries": "\n".join(texts), "position": position},
            )
            number += is_new
    return number
