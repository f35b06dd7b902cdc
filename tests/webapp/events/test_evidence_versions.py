"""Whatever evidence is read from raises its version, and kept evidence is the one of now."""

import threading
import uuid
from datetime import timedelta
from functools import cached_property

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from webapp.catalog.models import Credit
from webapp.events import evidence, ingest
from webapp.events.evidence import KeptEvidence, evidence_of, kept, read_evidence
from webapp.events.evidence_versions import EvidenceVersionRead
from webapp.events.ingest import EventDraft, record_events
from webapp.events.models import Event, Visit
from webapp.events.searches import forget_search
from webapp.events.visits import CurrentVisit
from webapp.profiles.models import (
    DroppedTitle,
    EvidenceVersion,
    HiddenTitle,
    ListEntry,
    Profile,
    Rating,
    RefusedGenre,
    RefusedPerson,
)

pytestmark = pytest.mark.django_db
MARKS = {
    "rating": lambda p, f, now: Rating(profile=p, title=f, stars=4, rated_at=now),
    "list": lambda p, f, now: ListEntry(profile=p, title=f, at=now),
    "hidden": lambda p, f, now: HiddenTitle(profile=p, title=f, at=now),
    "dropped": lambda p, f, now: DroppedTitle(profile=p, title=f, at=now),
    "person": lambda p, f, now: RefusedPerson(profile=p, person=f.people.first(), at=now),
    "genre": lambda p, f, now: RefusedGenre(profile=p, genre=f.genres.first(), at=now),
}
WORKED_OUT = [
    name for name, value in vars(evidence.Evidence).items() if isinstance(value, cached_property)
]


@pytest.fixture(autouse=True)
def _nothing_kept():
    kept.clear()


def version_of(profile):
    return EvidenceVersion.objects.filter(profile=profile).values_list("version", flat=True).first()


def visit_of(profile, now):
    return CurrentVisit(uuid.uuid4(), profile, now, version=EvidenceVersionRead())


def next_request(visit):
    version = EvidenceVersionRead(version_of(visit.profile), is_known=True)
    return CurrentVisit(visit.id, visit.profile, visit.started_at, version=version)


def draft(kind, film, now, **fields):
    return EventDraft(uuid.uuid4(), kind, film.pk if film else None, now, **fields)


@pytest.mark.parametrize("kind", MARKS)
def test_every_mark_raises_the_version_as_it_comes_changes_and_goes(kind, films, cast, now):
    seen = [version_of(cast.owner)]
    mark = MARKS[kind](cast.owner, films[0], now)
    mark.save()
    seen.append(version_of(cast.owner))
    mark.save(force_update=True)
    seen.append(version_of(cast.owner))
    mark.delete()
    seen.append(version_of(cast.owner))
    assert seen[0] is None
    assert len(set(seen)) == 4
    assert version_of(cast.sibling) is None


@pytest.mark.parametrize("kind", [k for k in Event.Kind.values if k != "impression"])
def test_every_kind_of_event_but_impressions_raises_it(kind, films, cast, now):
    visit = visit_of(cast.owner, now)
    Visit.objects.get_or_create(id=visit.id, defaults=visit.columns)
    event = Event(
        id=uuid.uuid4(), visit_id=visit.id, profile=cast.owner, kind=kind, title=films[0],
        occurred_at=now, received_at=now,
    )  # fmt: skip
    seen = [version_of(cast.owner)]
    event.save(force_insert=True)
    seen.append(version_of(cast.owner))
    Event.objects.filter(pk=event.pk).update(query="x")
    seen.append(version_of(cast.owner))
    event.delete()
    seen.append(version_of(cast.owner))
    assert len(set(seen)) == 4


def test_an_impression_or_a_repeat_leaves_it(films, cast, now):
    visit, opened = visit_of(cast.owner, now), draft("open", films[0], now)
    record_events(visit, [opened], now)
    before = version_of(cast.owner)
    record_events(visit, [opened, draft("impression", films[1], now)], now)
    assert version_of(cast.owner) == before


def test_one_statement_for_many_profiles_raises_each(films, cast, now):
    Rating.objects.bulk_create(
        MARKS["rating"](profile, films[0], now)  # type: ignore[misc]
        for profile in (cast.stranger, cast.owner)
    )
    assert version_of(cast.owner) != version_of(cast.stranger)
    assert None not in (version_of(cast.owner), version_of(cast.stranger))


def test_a_credit_of_someone_refused_raises_it(films, cast, now):
    MARKS["person"](cast.owner, films[0], now).save()
    person, before = films[0].people.first(), version_of(cast.owner)
    credit = Credit.objects.create(title=films[5], person=person, role=Credit.Role.CAST)
    assert version_of(cast.owner) != before
    before = version_of(cast.owner)
    credit.delete()
    assert version_of(cast.owner) != before


def test_a_profile_takes_its_version_along(films, cast, now):
    MARKS["rating"](cast.owner, films[0], now).save()
    Profile.objects.get(pk=cast.owner.pk).delete()
    assert not EvidenceVersion.objects.exists()


def test_a_number_is_never_used_again(films, cast, now):
    numbers = []

    def write_and_fail():
        with transaction.atomic():
            MARKS["list"](cast.owner, films[0], now).save()
            numbers.append(version_of(cast.owner))
            raise IntegrityError

    with pytest.raises(IntegrityError):
        write_and_fail()
    assert version_of(cast.owner) is None
    MARKS["list"](cast.owner, films[0], now).save()
    assert version_of(cast.owner) > numbers[0]


def test_evidence_that_did_not_change_is_not_read_again(
    films, cast, now, django_assert_num_queries
):
    visit = visit_of(cast.owner, now)
    record_events(visit, [draft("open", films[0], now)], now)
    with django_assert_num_queries(1):  # the version with the evidence
        first = evidence_of(visit)
    later = next_request(visit)
    with django_assert_num_queries(0):
        assert evidence_of(visit) is first
        assert evidence_of(later) is first


@pytest.mark.parametrize(
    "act",
    [
        lambda v, f, now: record_events(v, [draft("open", f[1], now)], now),
        lambda v, f, now: record_events(v, [draft("thumb", f[1], now, value="up")], now),
        lambda v, f, now: record_events(v, [draft("forget", f[0], now, value="remove")], now),
        lambda v, f, now: forget_search(v, "solaris"),
    ],
    ids=["an open", "a thumb", "a title forgotten", "a search forgotten"],
)
def test_the_request_that_writes_reads_what_it_wrote(act, films, cast, now):
    visit = visit_of(cast.owner, now)
    searched = draft("search", None, now, query="solaris")
    record_events(visit, [draft("open", films[0], now), searched], now)
    before = evidence_of(visit)
    act(visit, films, now + timedelta(seconds=1))
    after = evidence_of(visit)
    assert after != before
    assert after == read_evidence(visit)


@pytest.mark.parametrize("seed", range(4))
def test_what_a_request_adds_to_kept_evidence_is_what_would_be_read(
    seed, films, cast, now, monkeypatch
):
    """Opens, choices and searches, one or two at once, among other events and other processes."""
    assert len(WORKED_OUT) > 9
    monkeypatch.setattr(evidence, "VISIT_EVENTS", 30)
    rng = np.random.default_rng(seed)
    Rating.objects.create(profile=cast.owner, title=films[9], stars=5, rated_at=now)
    visit, others = visit_of(cast.owner, now), visit_of(cast.owner, now)
    was_added = []
    for second in range(40):
        kinds = rng.choice(["open", "choose", "search", "impression", "thumb", "play"], 2)
        late = int(rng.integers(-3, 1)) if rng.random() < 0.1 else 0
        at = now + timedelta(seconds=second)
        drafts = [
            draft(
                kind, None if kind == "search" else films[rng.integers(9)],
                at + timedelta(seconds=late, milliseconds=n),
                query="solaris" if kind == "search" else "", value="up" if kind == "thumb" else "",
            )
            for n, kind in enumerate(kinds[: 1 + rng.integers(2)])
        ]  # fmt: skip
        request = next_request(visit)
        before = evidence_of(request)
        if rng.random() < 0.2:
            with monkeypatch.context() as other_process:
                other_process.setattr(ingest, "add_to_kept", lambda *_: None)
                record_events(others, [draft("open", films[0], at)], at)
        record_events(request, drafts, at + timedelta(seconds=1))
        with CaptureQueriesContext(connection) as queries:
            after = evidence_of(request)
        was_added.append(not queries and after is not before)
        anew = read_evidence(visit)
        assert after == anew
        assert {name: getattr(after, name) for name in WORKED_OUT} == {
            name: getattr(anew, name) for name in WORKED_OUT
        }
        assert evidence_of(next_request(visit)) == after
    assert 3 < sum(was_added) < 30


def test_another_switch_visit_or_viewer_is_another_evidence(films, cast, now):
    visit = visit_of(cast.owner, now)
    record_events(visit, [draft("open", films[0], now)], now)
    assert evidence_of(visit).in_session
    cast.owner.is_history_paused = True
    assert not evidence_of(visit).in_session
    cast.owner.is_history_paused = False
    assert not evidence_of(visit_of(cast.owner, now)).in_session
    assert not evidence_of(visit_of(cast.sibling, now)).recent


def test_the_least_used_are_dropped_when_there_are_too_many(films, cast, now):
    visit = visit_of(cast.owner, now)
    record_events(visit, [draft("open", film, now) for film in films[:3]], now)
    all_of_it, few = read_evidence(visit), KeptEvidence(most_viewers=2, most_rows=100)
    keys = [(n, visit.id, now, False) for n in range(3)]
    few.put(keys[0], 1, all_of_it)
    few.put(keys[1], 1, all_of_it)
    assert few.get(keys[0], 1) is all_of_it
    few.put(keys[2], 1, all_of_it)
    assert [few.get(key, 1) is all_of_it for key in keys] == [True, False, True]
    small = KeptEvidence(most_viewers=100, most_rows=7)
    for key in keys:
        small.put(key, 1, all_of_it)
    assert len(small) == 2
    small.put(keys[2], 2, all_of_it)
    assert small.get(keys[2], 1) is None
    assert len(small) == 2


@pytest.mark.django_db(transaction=True)
def test_another_connection_sees_it_as_soon_as_it_is_committed(films, cast, now):
    """A process that keeps evidence, and another that writes."""
    visit = visit_of(cast.owner, now)
    record_events(visit, [draft("open", films[0], now)], now)
    before = evidence_of(visit)
    written, may_commit = threading.Event(), threading.Event()

    def other_process():
        with transaction.atomic():
            record_events(next_request(visit), [draft("open", films[1], now)], now)
            written.set()
            assert may_commit.wait(20)
        connection.close()

    thread = threading.Thread(target=other_process)
    thread.start()
    assert written.wait(20)
    assert evidence_of(next_request(visit)) == before
    may_commit.set()
    thread.join(20)
    after = evidence_of(next_request(visit))
    assert after == read_evidence(visit)
    assert {title for title, _ in after.in_session} == {films[0].pk, films[1].pk}


@pytest.mark.django_db(transaction=True)
def test_evidence_read_while_another_writes_is_not_taken_for_newer(films, cast, now, monkeypatch):
    """The version is read before the evidence: what is kept is at least as new as its number."""
    visit = visit_of(cast.owner, now)
    record_events(visit, [draft("open", films[0], now)], now)
    request = next_request(visit)
    record_events(next_request(visit), [draft("open", films[1], now)], now)
    assert len(evidence_of(request).in_session) == 2
    assert len(evidence_of(next_request(visit)).in_session) == 2
    assert Visit.objects.count() == 1
