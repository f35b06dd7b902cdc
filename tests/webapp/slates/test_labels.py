"""Labels of seen positions, event by event; whole visits stand in training/test_rankers.py."""

import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from recommender.data.examples import Examples
from recommender.ranking.features import CATEGORIES, FIELDS
from recommender.ranking.row_kinds import row_kind
from webapp.discovery.ranker_fields import pack_fields
from webapp.events.models import Event, Visit
from webapp.slates.labels import export_exposures
from webapp.slates.models import Slate

AT = datetime(2026, 5, 1, 20, tzinfo=UTC)
BETWEEN = AT - timedelta(hours=1), AT + timedelta(hours=1)


def slate_of(visit, titles, row="trending"):
    """A slate of one row, with the ranker's fields of its positions."""
    categories = np.zeros((len(titles), len(CATEGORIES)), dtype=np.int64)
    categories[:, CATEGORIES.index("row")] = row_kind(row).code
    categories[:, CATEGORIES.index("item")] = [title.pk for title in titles]
    numbers = np.zeros((len(titles), len(FIELDS) - len(CATEGORIES)), dtype=np.float32)
    fields = Examples(categories, numbers, np.zeros(len(titles), dtype=np.int64))
    return Slate.objects.create(
        visit=visit, surface="home", created_at=AT, rows=[], took_ms=1, features=pack_fields(fields)
    )


def record(visit, kind, title, seconds, slate=None, row="trending", value=""):
    at = AT + timedelta(seconds=seconds)
    Event.objects.create(
        id=uuid.uuid4(), visit=visit, kind=kind, title=title, value=value, slate=slate,
        row=row if slate else "", occurred_at=at, received_at=at,
    )  # fmt: skip


def labels():
    """Return label by title of all examples."""
    examples = export_exposures(*BETWEEN).examples
    items = examples.categories[:, CATEGORIES.index("item")]
    return dict(zip(items.tolist(), examples.labels.tolist(), strict=True))


@pytest.fixture
def visit(db):
    return Visit.objects.create(started_at=AT)


@pytest.mark.parametrize(
    ("kind", "value", "label"),
    [
        ("open", "", 1), ("choose", "", 1), ("play", "", 1), ("list", "add", 1),
        ("thumb", "up", 1), ("thumb", "love", 1), ("thumb", "down", 0), ("list", "remove", 0),
        ("hide", "hide", 0), ("progress", "", 0), ("finish", "", 0),
    ],
)  # fmt: skip
def test_what_makes_a_label(visit, films, kind, value, label):
    slate = slate_of(visit, films[:3])
    record(visit, "impression", films[0], 1, slate)
    record(visit, "impression", films[1], 1, slate)
    record(visit, kind, films[0], 5, value=value)  # from a page without a slate
    assert labels() == {films[0].pk: label, films[1].pk: 0}


def test_a_label_goes_to_the_last_slate_that_showed_the_title(visit, films):
    first, second = slate_of(visit, films[:1]), slate_of(visit, films[:1], row="top_10")
    record(visit, "impression", films[0], 1, first)
    record(visit, "impression", films[0], 3, second, row="top_10")
    record(visit, "play", films[0], 9)
    examples = export_exposures(*BETWEEN).examples
    rows = examples.categories[:, CATEGORIES.index("row")].tolist()
    codes = {row_kind("trending").code: 0, row_kind("top_10").code: 1}
    assert dict(zip(rows, examples.labels.tolist(), strict=True)) == codes


def test_a_click_is_an_example_without_an_impression_and_the_unseen_is_none(visit, films):
    slate = slate_of(visit, films[:3])
    record(visit, "open", films[2], 1, slate)
    assert labels() == {films[2].pk: 1}
