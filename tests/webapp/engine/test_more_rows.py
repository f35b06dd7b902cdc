"""Rows below those a home page came with: no title again, by the evidence of now, on a slate."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from webapp.engine import responses
from webapp.engine.replay import replay
from webapp.engine.viewers import FIRST_ROWS
from webapp.events.ingest import EventDraft, record_events
from webapp.events.visits import current_visit
from webapp.slates.models import Slate
from webapp.slates.pinned import pinned_rows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_rows(settings):
    settings.ROW_SIZE = 6


@pytest.fixture
def visit(cast, now):
    return current_visit(None, cast.owner, now)


def tell(visit, now, kind, *films, **fields):
    drafts = [EventDraft(uuid4(), kind, film.pk, now, **fields) for film in films]
    assert record_events(visit, drafts, now).accepted == len(films)


def titles_of(page):
    return [slot.title.pk for row in page.rows for slot in row.slots]


def names_of(page):
    return [(row.kind, row.key) for row in page.rows]


def test_a_page_comes_with_its_first_rows_and_goes_on_without_repeating(release, visit, films, now):
    tell(visit, now, "open", *films[:3])
    first = responses.home(visit, now)
    assert len(first.rows) == FIRST_ROWS
    assert first.has_more
    more = responses.more_rows(visit, first.slate_id, now)
    assert len(more.rows) >= 1
    assert not set(titles_of(first)) & set(titles_of(more))
    assert not set(names_of(first)) & set(names_of(more))
    assert more.num_above == FIRST_ROWS


def test_what_was_done_meanwhile_changes_what_is_below(release, visit, films, now):
    first = responses.home(visit, now)
    before = responses.more_rows(visit, first.slate_id, now)
    tell(visit, now, "play", *films[40:43], position_seconds=0, duration_seconds=6000)
    after = responses.more_rows(visit, first.slate_id, now)
    assert {"top_picks", "because_watched"} & {kind for kind, _ in names_of(after)}
    assert names_of(after) != names_of(before)
    assert not set(titles_of(first)) & set(titles_of(after))
    assert "continue_watching" not in {kind for kind, _ in names_of(after)}


def test_its_slate_holds_the_rows_below_alone_and_is_replayed_exactly(release, visit, films, now):
    tell(visit, now, "open", films[0])
    first = responses.home(visit, now)
    tell(visit, now, "hide", first.rows[0].slots[0].title, value="hide")
    more = responses.more_rows(visit, first.slate_id, now)
    slate = Slate.objects.get(pk=more.slate_id)
    assert slate.continues_id == first.slate_id
    assert [(row["kind"], row["key"]) for row in slate.rows] == names_of(more)
    found = replay(slate)
    assert found.differences == []
    assert found.feature_skew == 0.0


def test_what_was_seen_above_and_below_stays_on_the_next_page(release, visit, films, now):
    tell(visit, now, "open", films[0])
    first = responses.home(visit, now)
    more = responses.more_rows(visit, first.slate_id, now + timedelta(seconds=1))
    row = more.rows[0]
    for page, seen in ((first, first.rows[3]), (more, row)):
        drafts = [
            EventDraft(
                uuid4(), "impression", slot.title.pk, now, slate_id=page.slate_id, row=seen.kind
            )
            for slot in seen.slots
        ]
        assert record_events(visit, drafts, now).accepted == len(seen.slots)
    shown = pinned_rows(visit)
    assert [(each.kind, each.key) for each in shown] == [*names_of(first), names_of(more)[0]]
    assert [each.num_seen > 0 for each in shown] == [False, *[True] * (len(shown) - 1)]
    tell(visit, now, "open", *films[40:44])
    after = responses.home(visit, now + timedelta(seconds=2))
    assert names_of(after)[1 : len(shown)] == [*names_of(first)[1:], names_of(more)[0]]
    assert [slot.title.pk for slot in after.rows[len(shown) - 1].slots] == [
        slot.title.pk for slot in row.slots
    ]


def test_a_page_of_the_fallback_goes_on_too(films, visit, now):
    first = responses.home(visit, now)
    assert first.is_fallback
    more = responses.more_rows(visit, first.slate_id, now)
    assert more is None or not set(titles_of(first)) & set(titles_of(more))


def test_the_page_asks_for_them_as_it_is_scrolled_and_links_them_without_script(
    owner_client, release, films
):
    owner_client.get(films[0].get_absolute_url())
    page = owner_client.get("/").content.decode()
    address = re.search(r'hx-get="(/rows/[^"]+/)" hx-trigger="revealed"', page)[1]
    below = owner_client.get(address)
    assert below.status_code == 200
    assert f'id="row-{FIRST_ROWS + 1}"' in below.content.decode()
    whole = owner_client.get("/?rows=all").content.decode()
    assert len(re.findall('<section class="row"', whole)) > FIRST_ROWS
    assert "/rows/" not in whole


def test_nobody_goes_on_with_anothers_page(client, owner_client, cast, release, films, log_in):
    page = owner_client.get("/").content.decode()
    address = re.search(r'hx-get="(/rows/[^"]+/)"', page)[1]
    client.cookies.clear()
    assert client.get(address).status_code == 404
    for other in (cast.sibling, cast.stranger):
        assert log_in(client, other).get(address).status_code == 404
    assert client.get(f"/rows/{uuid4()}/").status_code == 404
