"""A slate is built again exactly, whatever happened since; and another release's is compared."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from recommender.serving.recommender import Recommender
from search.facets import Facet, FacetValue
from webapp.catalog.models import Title
from webapp.discovery.selection import Selection, Sort
from webapp.engine import responses
from webapp.engine.live import holder
from webapp.engine.replay import RowDifference, differences, replay
from webapp.events.ingest import EventDraft, record_events
from webapp.events.visits import CurrentVisit, current_visit
from webapp.profiles.models import HiddenTitle, ListEntry, Rating
from webapp.releases.models import Release
from webapp.releases.publishing import publish
from webapp.slates.models import Slate
from webapp.training.runs import queue_training, run_training

pytestmark = pytest.mark.django_db

NARROWED = Selection(
    (FacetValue(Facet.DECADE, "1950s"), FacetValue(Facet.DECADE, "1960s"),
     FacetValue(Facet.SEEN, "no"), FacetValue(Facet.GENRE, "Western")),
)  # fmt: skip


def tell(visit, now, kind, title, **fields):
    draft = EventDraft(uuid4(), kind, title.pk if title else None, now, **fields)
    assert not record_events(visit, [draft], now).errors


def story(visit, films, now, with_profile):
    """A visit with a little of everything."""
    tell(visit, now, "open", films[40])
    tell(visit, now, "play", films[41], position_seconds=0, duration_seconds=6000)
    tell(visit, now, "stop", films[41], position_seconds=30, duration_seconds=6000)
    tell(visit, now, "progress", films[42], position_seconds=900, duration_seconds=6000)
    tell(visit, now, "search", None, query="number")
    if with_profile:
        tell(visit, now, "thumb", films[43], value="love")
        tell(visit, now, "thumb", films[2], value="down")
        tell(visit, now, "hide", films[20], value="hide")
        tell(visit, now, "list", films[21], value="add")


def a_newcomer(cast, films, now):
    return current_visit(None, None, now)


def an_anonymous_browser(cast, films, now):
    before = current_visit(None, None, now)
    tell(before, now, "open", films[3])
    visit = CurrentVisit(uuid4(), None, now, previous_id=before.id)
    story(visit, films, now, with_profile=False)
    return visit


def a_fresh_visit(cast, films, now):
    for film, stars in ((films[0], 5), (films[1], 4), (films[25], 1.5)):
        Rating.objects.create(profile=cast.owner, title=film, stars=stars, rated_at=now)
    return current_visit(None, cast.owner, now + timedelta(minutes=1))


def one_with_a_history(cast, films, now):
    ListEntry.objects.create(profile=cast.owner, title=films[5], at=now)
    HiddenTitle.objects.create(profile=cast.owner, title=films[6], at=now)
    visit = a_fresh_visit(cast, films, now)
    story(visit, films, now, with_profile=True)
    return visit


def one_without_personal_picks(cast, films, now):
    cast.owner.is_personalized = False
    return one_with_a_history(cast, films, now)


def one_who_pauses(cast, films, now):
    visit = one_with_a_history(cast, films, now)
    cast.owner.is_history_paused = True
    return visit


def one_whose_lists_are_drafted(cast, films, now):
    return one_with_a_history(cast, films, now).in_arm("x", "lists", "interleaved")


VIEWERS = [
    a_newcomer,
    an_anonymous_browser,
    a_fresh_visit,
    one_with_a_history,
    one_without_personal_picks,
    one_who_pauses,
    one_whose_lists_are_drafted,
]


def look_at_all(visit, films, now):
    """Ask for every surface, home twice: the slates of what was shown."""
    shown: list[Any] = [
        responses.home(visit, now),
        responses.title_page(visit, films[7], now),
        responses.prequery(visit, now),
        responses.search(visit, "number", now),
        responses.search(visit, "qqqqqqqq", now),
        responses.search(visit, "number", now, NARROWED, 2),
        responses.search(visit, "number", now, replace(NARROWED, sort=Sort.YEAR)),
        responses.genre_page(visit, films[0].genres.get(), 1, now, NARROWED),
    ]
    if not visit.is_paused:
        tell(visit, now, "open", films[50])
    shown.append(responses.home(visit, now))
    return [Slate.objects.get(pk=page.slate_id) for page in shown]


def life_goes_on(cast, people, films, now):
    """Ratings, events, titles and a release that came after."""
    for person in people:
        Rating.objects.update_or_create(
            profile=person, title=films[19], defaults={"stars": 5, "rated_at": now}
        )
    Rating.objects.filter(title=films[0]).delete()
    tell(current_visit(None, cast.owner, now), now, "play", films[30])
    tell(current_visit(None, cast.stranger, now), now, "open", films[40])
    genre = films[0].genres.get()
    for n in range(3):
        new = Title.objects.create(external_id=f"new-{n}", name=f"Number {n}", added_at=now)
        new.genres.add(genre)


def another_release(seed=1):
    run = queue_training(lambda run_id: None, seed)
    assert run_training(run.pk).status == "succeeded"
    return Release.objects.get(run=run)


def ask(slate, **options):
    out = StringIO()
    call_command("replay_slate", str(slate.pk), stdout=out, **options)
    return out.getvalue()


@pytest.mark.parametrize("viewer", VIEWERS)
@pytest.mark.parametrize("models", ["release", "visit_release"])
def test_every_slate_is_built_again_exactly_whatever_came_after(
    request, models, viewer, cast, people, films, now
):
    request.getfixturevalue(models)
    slates = look_at_all(viewer(cast, films, now), films, now)
    assert all(slate.rows and not slate.fallback_reason for slate in slates)
    life_goes_on(cast, people, films, now)
    publish(another_release(), now)
    holder.forget()
    for slate in slates:
        again = replay(slate)
        assert again.differences == []
        assert again.feature_skew == 0
        assert [row["titles"] for row in again.rows] == [row["titles"] for row in slate.rows]
        assert [row["scores"] for row in again.rows] == [row["scores"] for row in slate.rows]
    assert "The same: " in ask(slates[0])


def test_the_snapshot_is_all_that_is_asked_of_the_viewer(release, cast, films, now):
    slate = look_at_all(one_with_a_history(cast, films, now), films, now)[-1]
    cast.owner.delete()
    restored = Slate(
        **{field.attname: getattr(slate, field.attname) for field in slate._meta.fields}
    )
    assert replay(restored).differences == []


def test_another_release_shows_something_else_and_what(release, cast, people, films, now):
    slate = look_at_all(one_with_a_history(cast, films, now), films, now)[0]
    life_goes_on(cast, people, films, now)
    other = another_release()
    text = ask(slate, release=other.pk)
    assert f"{str(other).capitalize()} would have shown:" in text
    assert "Different in" in text
    assert "scores of the same titles differ" in text
    first_shown = Title.objects.get(pk=replay(slate, other).rows[1]["titles"][0])
    assert f"{first_shown} [{first_shown.pk}]" in text
    assert "3 titles were added since and left out here." in text
    assert "The same: " in ask(slate, release=release.pk)


def test_a_title_deleted_since_is_told_in_words(release, cast, films, now):
    slate = look_at_all(one_with_a_history(cast, films, now), films, now)[0]
    gone = next(row["titles"][2] for row in slate.rows if len(row["titles"]) > 2)
    Title.objects.get(pk=gone).delete()
    again = replay(slate)
    [note] = again.notes
    assert note.startswith(f"1 title was deleted since; of those shown: {gone}.")
    assert gone in {title for d in again.differences for title, _ in d.left}
    with pytest.raises(CommandError, match="not the list that was shown"):
        ask(slate)


def test_a_title_changed_since_is_told_in_words(release, cast, films, now):
    slate = look_at_all(a_newcomer(cast, films, now), films, now)[0]
    Title.objects.get(pk=films[3].pk).save()
    [note] = replay(slate).notes
    assert note == "1 title was changed since, in the catalogue; how it was before is not known."


def test_a_slate_of_the_fallback_is_built_again_as_far_as_it_can_be(
    release, cast, films, people, now, monkeypatch
):
    viewer = one_with_a_history(cast, films, now)
    holder.get()  # it worked when it was loaded
    with monkeypatch.context() as broken:
        broken.setattr(Recommender, "home", lambda *_: 1 / 0)
        slate = look_at_all(viewer, films, now)[0]
    again = replay(slate)
    assert again.differences == []
    assert "Popular titles were served, because: ZeroDivisionError" in again.notes[0]
    text = ask(slate, release=release.pk)
    assert "this_visit: " in text
    assert "the row is new, row" in text


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda slate: slate.snapshot.pop("context"), "does not keep what it was built from"),
        (lambda slate: slate.snapshot.update(version=3), "This snapshot is of version 3"),
        (lambda slate: setattr(slate, "release", None), "The release that made this slate"),
        (lambda slate: setattr(slate.release, "folder", "artifacts/none"), "cannot be loaded"),
    ],
)
def test_what_cannot_be_built_again_is_refused_in_words(release, cast, films, now, spoil, words):
    slate = look_at_all(a_newcomer(cast, films, now), films, now)[0]
    spoil(slate)
    slate.save()
    if slate.release:
        slate.release.save()
    with pytest.raises(CommandError, match=words):
        ask(slate)


def test_a_slate_or_release_that_does_not_exist_is_refused(release, cast, films, now):
    slate = look_at_all(a_newcomer(cast, films, now), films, now)[0]
    with pytest.raises(CommandError, match="There is no release 999"):
        ask(slate, release=999)
    slate.pk = uuid4()
    with pytest.raises(CommandError, match="There is no slate"):
        ask(slate)


def row(kind, *titles, key=None, scores=None):
    return {"kind": kind, "key": key, "titles": titles, "scores": scores or [1.0] * len(titles)}


def test_differences_by_hand():
    before = [row("top", 1, 2, 3), row("genre", 4, 5, key=7), row("new", 6), row("gone", 9)]
    after = [row("genre", 4, 5, key=7), row("top", 2, 1, 8), row("new", 6, scores=[0.5])]
    assert differences(before, before) == []
    assert differences(before, after) == [
        RowDifference("top", None, 0, 1, [(8, 2)], [(3, 2)], [(1, 0, 1), (2, 1, 0)], 0.0),
        RowDifference("genre", 7, 1, 0, [], [], [], 0.0),
        RowDifference("new", None, 2, 2, [], [], [], 0.5),
        RowDifference("gone", None, 3, None, [], [(9, 0)], [], 0.0),
    ]
