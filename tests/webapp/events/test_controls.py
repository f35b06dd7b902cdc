"""What a viewer takes back, refuses and has forgotten: the very next evidence obeys."""

from datetime import timedelta
from uuid import uuid4

import pytest

from webapp.catalog.models import Credit, Genre, Person
from webapp.engine.responses import home, prequery, search, title_page
from webapp.events.evidence import evidence_of
from webapp.events.forgetting import KEPT_DAYS, erase_forgotten
from webapp.events.ingest import EventDraft, record_events
from webapp.events.models import Event, ForgottenTitle, Visit
from webapp.events.visits import current_visit
from webapp.profiles.models import ListEntry, Rating, RefusedGenre, RefusedPerson
from webapp.slates.models import Slate
from webapp.slates.retention import prune_visits
from webapp.training.export import liked_pairs, stored_events

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(cast, now):
    return current_visit(None, cast.owner, now)


def tell(visit, now, kind, title=None, minutes_ago=0, **fields):
    at = now - timedelta(minutes=minutes_ago)
    draft = EventDraft(uuid4(), kind, title.pk if title else None, at, **fields)
    report = record_events(visit, [draft], now)
    assert not report.errors
    return report


def watched(visit, now, title, minutes_ago=0):
    tell(
        visit, now, "progress", title, minutes_ago,
        position_seconds=1800, duration_seconds=6000,
    )  # fmt: skip


def shown(page):
    return {slot.title.pk for row in page.rows for slot in row.slots}


def test_a_title_leaves_continue_watching_until_it_is_played_on(visit, films, now):
    watched(visit, now, films[0], minutes_ago=9)
    tell(visit, now, "resume", films[0], minutes_ago=8, value="remove")
    assert evidence_of(visit).unfinished == []
    assert evidence_of(visit).playbacks[0].position_seconds == 1800
    watched(visit, now, films[0], minutes_ago=7)
    assert [p.title_id for p in evidence_of(visit).unfinished] == [films[0].pk]
    tell(visit, now, "resume", films[0], value="remove")
    tell(visit, now, "resume", films[0], value="restore")
    assert [p.title_id for p in evidence_of(visit).unfinished] == [films[0].pk]


def test_what_is_forgotten_has_never_been_and_comes_back_whole(visit, cast, films, release, now):
    home(visit, now)
    slate = Slate.objects.get()
    tell(visit, now, "open", films[0], 9, slate_id=slate.pk, row="trending", slot=3)
    watched(visit, now, films[0], minutes_ago=8)
    tell(visit, now, "open", films[1], 8)
    Rating.objects.create(
        profile=cast.owner, title=films[0], stars=3.5, rated_at=now - timedelta(days=400)
    )
    before = evidence_of(visit), list(Event.objects.order_by("pk").values())
    tell(visit, now, "forget", films[0], value="remove")
    evidence = evidence_of(visit)
    assert evidence.playbacks == evidence.verdicts == []
    assert [title_id for title_id, e in evidence.in_session if e.kind == "open"] == [films[1].pk]
    assert (cast.owner.pk, films[0].pk) not in {pair[:2] for pair in liked_pairs()}
    mine = {event.title_id for event in stored_events() if event.viewer == cast.owner.pk}
    assert mine == {films[1].pk}
    tell(visit, now, "forget", films[0], value="restore")
    after = evidence_of(visit)
    assert (after.verdicts, after.playbacks) == (before[0].verdicts, before[0].playbacks)
    assert list(Event.objects.exclude(kind="forget").order_by("pk").values()) == before[1]
    assert not ForgottenTitle.objects.exists()


def test_a_rating_given_since_stands_when_the_old_one_is_taken_back(visit, films, now):
    tell(visit, now, "thumb", films[0], 9, value="down")
    tell(visit, now, "forget", films[0], 8, value="remove")
    tell(visit, now, "thumb", films[0], 7, value="love")
    tell(visit, now, "forget", films[0], value="restore")
    assert Rating.objects.get().stars == 5


def test_an_event_that_comes_late_is_not_kept_of_a_forgotten_title(visit, films, now):
    watched(visit, now, films[0], minutes_ago=9)
    tell(visit, now, "forget", films[0], 5, value="remove")
    late = EventDraft(uuid4(), "stop", films[0].pk, now - timedelta(minutes=6))
    assert record_events(visit, [late], now).repeated == 1
    assert not Event.objects.exclude(kind="forget").exists()
    watched(visit, now, films[0])
    assert len(evidence_of(visit).playbacks) == 1


def test_to_forget_works_while_history_is_paused(visit, cast, films, now):
    watched(visit, now, films[0], minutes_ago=9)
    cast.owner.is_history_paused = True
    tell(visit, now, "forget", films[0], value="remove")
    assert evidence_of(visit).playbacks == []
    assert tell(visit, now, "hide", films[1], value="hide").paused == 1


def test_a_week_later_what_was_forgotten_is_erased_with_the_wish(visit, films, now):
    watched(visit, now, films[0], minutes_ago=9)
    tell(visit, now, "forget", films[0], value="remove")
    assert erase_forgotten(now + timedelta(days=KEPT_DAYS, minutes=-1)) == 0
    assert erase_forgotten(now + timedelta(days=KEPT_DAYS, minutes=1)) == 1
    assert not ForgottenTitle.objects.exists()
    assert not Event.objects.exists()


def test_another_profiles_history_stays_when_one_forgets(visit, cast, films, now):
    other = current_visit(None, cast.sibling, now)
    watched(other, now, films[0], minutes_ago=9)
    watched(visit, now, films[0], minutes_ago=9)
    tell(visit, now, "forget", films[0], value="remove")
    assert len(evidence_of(other).playbacks) == 1


@pytest.mark.parametrize("has_release", [True, False])
def test_titles_with_a_refused_person_are_found_but_not_recommended(
    request, visit, films, now, has_release
):
    if has_release:
        request.getfixturevalue("release")
    person = Person.objects.get(name="Sergio Leone")
    Credit.objects.create(title=films[1], person=person, role=Credit.Role.CAST)
    of_person = {films[0].pk, films[1].pk}
    tell(visit, now, "person", value="refuse", subject=person.pk)
    assert not of_person & shown(home(visit, now))
    assert not of_person & {s.title.pk for s in prequery(visit, now).suggestions.slots}
    more_like = title_page(visit, films[2], now).more_like
    assert not of_person & {s.title.pk for s in more_like.slots}
    assert search(visit, "High Noon", now).slots[0].title == films[1]
    tell(visit, now, "person", value="allow", subject=person.pk)
    assert not RefusedPerson.objects.exists()
    assert evidence_of(visit).refused == set()


@pytest.mark.parametrize("has_release", [True, False])
@pytest.mark.parametrize("is_personal", [True, False])
def test_titles_of_a_refused_genre_are_found_but_not_recommended(
    request, visit, cast, films, now, has_release, is_personal
):
    if has_release:
        request.getfixturevalue("release")
    cast.owner.is_personalized = is_personal
    western = Genre.objects.get(slug="western")
    of_genre = {film.pk for film in films[:20]}
    assert of_genre & shown(home(visit, now))
    ListEntry.objects.create(profile=cast.owner, title=films[3], at=now)
    watched(visit, now, films[4])
    tell(visit, now, "genre", value="refuse", subject=western.pk)
    assert of_genre & shown(home(visit, now)) == {films[3].pk, films[4].pk}
    suggested = {s.title.pk for s in prequery(visit, now).suggestions.slots}
    assert not of_genre & suggested - {films[3].pk, films[4].pk}
    assert search(visit, "High Noon", now).slots[0].title == films[1]
    tell(visit, now, "genre", value="allow", subject=western.pk)
    assert not RefusedGenre.objects.exists()


@pytest.mark.parametrize("kind", ["person", "genre"])
def test_a_refusal_of_nobody_is_refused(visit, films, now, kind):
    drafts = [
        EventDraft(uuid4(), kind, None, now, value="refuse", subject=subject)
        for subject in (None, 2**62)
    ]
    reasons = [refused.reason for refused in record_events(visit, drafts, now).errors]
    assert reasons == [f"there is no {kind} None", f"there is no {kind} {2**62}"]


def test_a_thumb_may_say_stars_so_that_an_imported_rating_comes_back(visit, films, now):
    tell(visit, now, "thumb", films[0], value="3.5")
    assert Rating.objects.get().stars == 3.5
    wrong = EventDraft(uuid4(), "thumb", films[0].pk, now, value="5.5")
    assert "must be one of up, down, love" in record_events(visit, [wrong], now).errors[0].reason


def test_old_events_go_by_the_operators_rule_with_visits_of_which_nothing_is_left(
    visit, films, now, settings
):
    watched(visit, now, films[0], minutes_ago=9)
    later = now + timedelta(days=40)
    assert prune_visits(later) == 0
    assert Event.objects.count() == Visit.objects.count() == 1
    settings.EVENT_DAYS = 30
    assert prune_visits(now + timedelta(days=29)) == 0
    assert prune_visits(later) == 1
    assert not Visit.objects.exists()
