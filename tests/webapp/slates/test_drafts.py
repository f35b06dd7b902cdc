"""Two rankings share the lists of search and suggestions: what is shown, kept and credited."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from webapp.engine import responses
from webapp.engine.replay import replay
from webapp.events.ingest import EventDraft, record_events
from webapp.events.models import Event, Visit
from webapp.events.visits import current_visit
from webapp.experiments.lifecycle import create, start
from webapp.experiments.models import Arm
from webapp.experiments.outcomes import visits_of
from webapp.profiles.models import Rating
from webapp.slates.drafts import drafted_lists
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db

AT = datetime(2026, 5, 1, 20, tzinfo=UTC)
LATER = AT + timedelta(days=1)
LISTS = Arm("lists", "interleaved", 1.0)


@pytest.fixture
def experiment(db):
    experiment = create("lists", [LISTS])
    start(experiment, AT - timedelta(days=1))
    return experiment


def one_with_two_tastes(profile, films, now):
    """A history of one genre, a visit about another."""
    for film in films[:3]:
        Rating.objects.create(profile=profile, title=film, stars=5, rated_at=now)
    visit = current_visit(None, profile, now + timedelta(minutes=1))
    draft = EventDraft(uuid.uuid4(), "open", films[45].pk, now)
    assert not record_events(visit, [draft], now).errors
    return visit


def titles_of(page):
    row = page.results or page.suggestions
    return [slot.title.pk for slot in row.slots]


@pytest.mark.parametrize(
    "ask", [responses.prequery, lambda *v: responses.search(v[0], "number", v[1])]
)
def test_a_list_is_drafted_from_both_orders_and_the_slate_keeps_by_whom(
    visit_release, cast, films, now, ask
):
    visit = one_with_two_tastes(cast.owner, films, now)
    ours = titles_of(ask(visit, now))
    theirs = titles_of(ask(visit.in_arm("x", "a", "long_term_only"), now))
    assert ours != theirs
    shared = ask(visit.in_arm("x", "lists", "interleaved"), now)
    slate = Slate.objects.get(pk=shared.slate_id)
    [row] = [row for row in slate.rows if "teams" in row]
    assert row["titles"] == titles_of(shared)
    assert set(row["teams"]) == {0, 1}
    for team, order in enumerate((ours, theirs)):
        picked = [t for t, by in zip(row["titles"], row["teams"], strict=True) if by == team]
        assert picked == [title for title in order if title in picked]
    assert row["titles"][0] in {ours[0], theirs[0]}
    assert slate.snapshot["rival"] == "long_term_only"
    assert replay(slate).differences == []


def test_where_both_agree_nothing_is_drafted_nor_at_home_nor_while_typing(
    visit_release, cast, films, now
):
    fresh = current_visit(None, cast.owner, now).in_arm("x", "lists", "interleaved")
    shown: list[Any] = [responses.prequery(fresh, now)]
    visit = one_with_two_tastes(cast.sibling, films, now).in_arm("x", "lists", "interleaved")
    shown += [responses.home(visit, now), responses.typed(visit, "number", now)]
    for page in shown:
        assert not any("teams" in row for row in Slate.objects.get(pk=page.slate_id).rows)


def shown_list(profile=None, is_simulated=False, at=AT, titles=(), teams=(), **fields):
    visit = Visit.objects.create(
        experiment="lists", arm="lists", profile=profile, started_at=at, is_simulated=is_simulated
    )
    row = {"kind": "suggestions", "titles": [title.pk for title in titles], "teams": list(teams)}
    return Slate.objects.create(
        visit=visit, surface="prequery", created_at=at, rows=[row], snapshot={}, took_ms=1, **fields
    )


def click(slate, film, kind="open"):
    Event.objects.create(
        id=uuid.uuid4(), visit=slate.visit, profile=slate.visit.profile, kind=kind, title=film,
        slate=slate, surface="prequery", occurred_at=slate.created_at,
        received_at=slate.created_at,
    )  # fmt: skip


def test_by_hand_a_list_is_won_by_the_order_of_which_more_was_taken(experiment, films, cast):
    drafted = {"titles": films[:4], "teams": [0, 1, 1, 0]}
    won = shown_list(cast.owner, **drafted)
    click(won, films[0])
    click(won, films[0], "play")
    lost = shown_list(**drafted)
    click(lost, films[1], "choose")
    even = shown_list(cast.owner, **drafted)
    click(even, films[0])
    click(even, films[2])
    looked_at = shown_list(**drafted)
    click(looked_at, films[0], "impression")
    click(looked_at, films[9])
    for other in (
        shown_list(is_simulated=True, **drafted),
        shown_list(at=LATER, **drafted),
        shown_list(fallback_reason="no release", **drafted),
    ):
        click(other, films[0])

    found = drafted_lists(visits_of(experiment, settled=LATER))
    assert found.shown == 4
    of_owner = found.units == cast.owner.pk
    assert sorted(found.credits[of_owner]) == [0.5, 1.0]
    assert found.credits[~of_owner] == [0.0]
    assert found.units[~of_owner] < 0
    assert sorted(found.decided.credits.tolist()) == [0.0, 1.0]


def test_the_report_tells_the_preference_and_an_order_alone_is_not_planned(
    experiment, films, capsys, client
):
    for n in range(30):
        slate = shown_list(titles=films[:2], teams=[n % 2, 1 - n % 2])
        click(slate, films[0] if n % 2 == 0 or n % 3 == 0 else films[1])
    call_command("experiments", "lists", "--report")
    out = capsys.readouterr().out
    # won are the even ones, and of the odd ones all but 3, 9, 15, 21 and 27: 25 of 30
    assert "drafted lists: 30, 30 with a click, 30 won by either; 83.3 %" in out
    assert "(50 % is no preference)" in out
    staff = User.objects.create_superuser("staff", password="a long password")
    client.force_login(staff)
    page = client.get("/staff/experiments/").content.decode()
    assert "Lists that both orders drafted" in page
    assert "too few visits in an arm" not in page
    assert "83.3 % (53.4 % to 100.0 %)" in page
    with pytest.raises(CommandError, match="has begun"):
        call_command("experiments", "lists", "--plan", "0.4", "2000", "0.02")
    create("more-lists", [LISTS])
    with pytest.raises(CommandError, match="there are no arms to compare"):
        call_command("experiments", "more-lists", "--plan", "0.4", "2000", "0.02")
