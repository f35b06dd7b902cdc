"""The pages' answers: the very next response, its reasons, its slate, and the fallback."""

import shutil
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest

from recommender.data.sessions import Sessions
from recommender.models.session_config import SessionEncoderConfig
from recommender.models.session_encoder import SessionEncoder
from recommender.serving.recommender import Recommender
from recommender.vocabulary import Vocabulary
from webapp.catalog.models import Title
from webapp.engine import responses
from webapp.engine.live import holder
from webapp.events.evidence import VISIT_EVENTS
from webapp.events.ingest import EventDraft, record_events
from webapp.events.models import Event, Visit
from webapp.events.popular_plays import played_today
from webapp.events.visits import current_visit
from webapp.releases.models import Release, TrainingRun
from webapp.releases.publishing import publish
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(cast, now):
    return current_visit(None, cast.owner, now)


def play(visit, title, now):
    draft = EventDraft(
        uuid4(), "progress", title.pk, now, position_seconds=900, duration_seconds=6000
    )
    assert record_events(visit, [draft], now).accepted == 1


def genre_of(slot):
    return slot.title.genres.all()[0].name


def test_the_very_next_page_knows_what_was_just_played_and_says_why(
    release, visit, films, now, settings
):
    settings.ROW_SIZE, settings.EXPLORATION = 6, 0.0
    before = responses.home(visit, now)
    assert "continue_watching" not in {row.kind for row in before.rows}
    play(visit, films[0], now)
    after = responses.home(visit, now + timedelta(seconds=1))
    first, of_visit, *seen_before = after.rows[:4]
    because = next(row for row in after.rows[4:] if row.kind == "because_watched")
    assert (first.kind, first.slots[0].title) == ("continue_watching", films[0])
    assert first.slots[0].progress == 0.15
    assert [row.heading for row in seen_before] == [row.heading for row in before.rows[:2]]
    assert because.heading == "Because you watched The Good, the Bad and the Ugly"
    assert {genre_of(slot) for slot in because.slots[:6]} == {"Western"}
    assert of_visit.heading == "Because of what you just opened"
    assert of_visit.reason == "Based on 1 title you chose just now"


def titles_of(row, first=6):
    return [slot.title for slot in row.slots[:first]]


@pytest.mark.parametrize("who", ["owner", None])
@pytest.mark.parametrize("is_scrolled", [True, False])
@pytest.mark.parametrize("which", ["release", "visit_release"])
def test_after_three_openings_the_top_of_the_page_is_of_this_visit(
    request, which, cast, films, now, settings, who, is_scrolled
):
    """For guests and profiles, with a release that reads visits and one that does not."""
    request.getfixturevalue(which)
    settings.ROW_SIZE, settings.EXPLORATION = 6, 0.0
    visit = current_visit(None, cast.owner if who else None, now)
    before = responses.home(visit, now, is_whole=True)
    assert before.spotlight is None
    if is_scrolled:
        for row in before.rows:
            drafts = [
                EventDraft(
                    uuid4(),
                    "impression",
                    slot.title.pk,
                    now,
                    slate_id=before.slate_id,
                    row=row.kind,
                )
                for slot in row.slots
            ]
            record_events(visit, drafts, now)
    drafts = [EventDraft(uuid4(), "open", film.pk, now) for film in films[40:43]]
    record_events(visit, drafts, now)
    after = responses.home(visit, now + timedelta(seconds=1))
    [hero], lead = titles_of(after.spotlight), after.rows[0]
    assert lead.kind == "this_visit"
    assert genre_of(after.spotlight.slots[0]) == "Science Fiction"
    genres = Counter(genre_of(slot) for slot in lead.slots[:6])
    assert is_scrolled or genres.most_common(1)[0][0] == "Science Fiction"
    assert hero not in titles_of(lead)
    assert not {hero, *titles_of(lead)} & set(films[40:43])
    seen = len(before.rows) if is_scrolled else 2
    assert [row.heading for row in after.rows[1 : seen + 1]] == [
        row.heading for row in before.rows[:seen]
    ]
    for row, same in zip(before.rows[:seen], after.rows[1:], strict=False):
        if row.kind != "top_10":
            assert titles_of(same) == titles_of(row)


def test_what_changed_since_the_last_page_is_marked_once(release, visit, films, now):
    record_events(visit, [EventDraft(uuid4(), "open", films[0].pk, now)], now)
    assert not responses.home(visit, now).rows[0].is_updated  # the visit's first page
    record_events(visit, [EventDraft(uuid4(), "open", films[40].pk, now)], now)
    after = responses.home(visit, now + timedelta(seconds=1))
    assert [row.is_updated for row in after.rows] == [True] + [False] * (len(after.rows) - 1)
    assert after.spotlight.is_updated
    again = responses.home(visit, now + timedelta(seconds=2))
    assert not again.spotlight.is_updated
    assert not any(row.is_updated for row in again.rows)


def test_no_title_stands_twice_but_in_the_viewers_own_rows(release, visit, films, now):
    play(visit, films[0], now)
    shown = [
        slot.title.pk
        for row in responses.home(visit, now).rows
        if row.kind not in ("continue_watching", "my_list")
        for slot in row.slots
    ]
    assert len(shown) == len(set(shown))


def test_a_hidden_title_is_shown_nowhere(release, visit, films, now):
    hide = EventDraft(uuid4(), "hide", films[0].pk, now, value="hide")
    record_events(visit, [hide], now)
    rows = responses.home(visit, now).rows
    assert films[0] not in {slot.title for row in rows for slot in row.slots}
    assert films[0] not in {
        slot.title for slot in responses.search(visit, "good bad ugly", now).slots
    }


def test_a_film_nobody_rated_still_has_titles_like_it(release, visit, films, now):
    row = responses.title_page(visit, films[19], now).more_like
    assert row is not None
    assert {genre_of(slot) for slot in row.slots} == {"Western"}


def test_search_forgives_a_mistake_and_taste_orders_equal_matches(release, visit, films, now):
    assert responses.search(visit, "casablnca", now).slots[0].title == films[20]
    play(visit, films[40], now)
    assert "Science Fiction" in responses.search(visit, "number", now).slots[0].title.name


def test_nothing_found_still_offers_something(release, visit, now):
    page = responses.search(visit, "qqqqqqqqqqqq", now)
    assert page.slots == []
    assert page.suggestions is not None
    assert len(page.suggestions.slots) >= 6


def test_before_anything_is_typed_this_visit_is_suggested_for(release, visit, films, now):
    newcomer = responses.prequery(visit, now).suggestions
    assert newcomer.reason == "Most liked recently"
    play(visit, films[40], now)
    page = responses.prequery(visit, now)
    assert sum(genre_of(slot) == "Science Fiction" for slot in page.suggestions.slots[:6]) >= 4
    assert page.suggestions.reason == "Based on what you’re looking at now"
    assert films[40] not in {slot.title for slot in page.suggestions.slots}
    slate = Slate.objects.get(pk=page.slate_id)
    assert slate.surface == "prequery"
    [row] = slate.rows
    assert row["kind"] == "suggestions"
    assert row["titles"] == [slot.title.pk for slot in page.suggestions.slots]


def test_home_suggestions_and_search_are_ordered_by_one_taste(
    release, visit, films, now, monkeypatch
):
    holder.get()
    asked = []
    taste_of = Recommender.taste
    monkeypatch.setattr(
        Recommender, "taste", lambda self, *asks: asked.append(asks) or taste_of(self, *asks)
    )
    play(visit, films[0], now)
    responses.home(visit, now)
    responses.prequery(visit, now)
    responses.search(visit, "number", now)
    assert [context.surface for _, context in asked] == ["home", "prequery", "search"]
    assert len({context.now for _, context in asked}) == 1
    assert all(viewer == asked[0][0] for viewer, _ in asked)


def kinds_of(page):
    return {row.kind for row in page.rows}


def test_an_anonymous_visit_has_rows_of_its_own(visit_release, films, now, settings):
    settings.ROW_SIZE = 6
    visit = current_visit(None, None, now)
    before = responses.home(visit, now)
    assert not {"this_visit", "top_picks", "because_watched"} & kinds_of(before)
    play(visit, films[45], now)
    after = responses.home(visit, now)
    row = next(row for row in after.rows if row.kind == "this_visit")
    assert row.heading == "Because of what you just opened"
    assert row.reason == "Based on 1 title you chose just now"
    assert sum(genre_of(slot) == "Science Fiction" for slot in row.slots[:6]) >= 4
    assert {"continue_watching", "because_watched"} <= kinds_of(after)
    assert Slate.objects.get(pk=after.slate_id).visit_share == 1.0


def test_a_visit_of_refusals_alone_is_served_as_a_fresh_one(visit_release, visit, films, now):
    drafts = [EventDraft(uuid4(), "thumb", film.pk, now, value="down") for film in films[:3]]
    drafts += [EventDraft(uuid4(), "hide", film.pk, now, value="hide") for film in films[3:6]]
    drafts += [EventDraft(uuid4(), "stop", films[6].pk, now, position_seconds=5)]
    drafts += [EventDraft(uuid4(), "search", None, now, query="no westerns please")]
    assert record_events(visit, drafts, now).accepted == 8
    page = responses.home(visit, now)
    assert not page.is_fallback
    assert "this_visit" not in kinds_of(page)
    shown = {slot.title for row in page.rows for slot in row.slots}
    assert not shown & set(films[:6])
    events = Slate.objects.get(pk=page.slate_id).snapshot["viewer"]["events"]
    assert {event["kind"] for event in events} == {"dislike", "hide", "stop", "search"}


def test_a_title_newer_than_the_release_counts_and_points_nowhere(visit_release, visit, films, now):
    new = Title.objects.create(external_id="new", name="Brand New", added_at=now)
    holder.refresh()
    play(visit, new, now)
    for page in (responses.home(visit, now), responses.title_page(visit, new, now)):
        assert Slate.objects.get(pk=page.slate_id).fallback_reason == ""
    assert "this_visit" not in kinds_of(responses.home(visit, now))
    play(visit, films[45], now)
    assert "this_visit" in kinds_of(responses.home(visit, now))


def test_ten_thousand_events_in_a_visit_are_served_quickly(visit_release, visit, films, now):
    Visit.objects.get_or_create(id=visit.id, defaults=visit.columns)
    Event.objects.bulk_create(
        Event(
            id=uuid4(),
            visit_id=visit.id,
            profile=visit.profile,
            kind=("open", "play", "search", "choose")[n % 4],
            title=films[n % 60] if n % 4 != 2 else None,
            query="number" if n % 4 == 2 else "",
            occurred_at=now - timedelta(seconds=10_000 - n),
            received_at=now,
        )
        for n in range(10_000)
    )
    shown = [responses.home(visit, now).slate_id for _ in range(5)]
    assert min(Slate.objects.get(pk=pk).took_ms for pk in shown) < 500
    slate = Slate.objects.get(pk=shown[-1])
    assert slate.fallback_reason == ""
    assert len(slate.snapshot["viewer"]["events"]) == VISIT_EVENTS
    assert responses.search(visit, "number", now).slots


def test_an_encoder_over_other_items_leaves_the_old_release_serving(
    visit_release, visit, films, now, caplog
):
    assert holder.get().release_id == visit_release.pk
    folder = visit_release.fetch().parent / "mixed"
    shutil.copytree(visit_release.fetch(), folder)
    shutil.rmtree(folder / "session_encoder")
    sessions = Sessions.from_events([1, 1, 2, 2], [0, 1, 1, 0], [0.0, 60.0, 0.0, 60.0])
    small = SessionEncoderConfig(width=4, num_blocks=1, epochs=1, patience=None)
    items = Vocabulary([films[0].pk, films[1].pk])
    SessionEncoder(small).fit(sessions, items).save(folder / "session_encoder")
    run = TrainingRun.objects.create(status="succeeded")
    publish(Release.objects.create(run=run, folder="artifacts/mixed"), now)
    holder.refresh()
    assert holder.get().release_id == visit_release.pk
    assert "they must be trained together" in holder.get().trouble
    play(visit, films[0], now)
    assert not responses.home(visit, now).is_fallback
    holder.forget()
    assert responses.home(visit, now).is_fallback


def test_the_slate_holds_what_was_shown(release, visit, films, now):
    play(visit, films[0], now)
    page = responses.home(visit, now)
    slate = Slate.objects.get(pk=page.slate_id)
    views = [page.rows[0], page.spotlight, *page.rows[1:]]
    assert [row["kind"] for row in slate.rows] == [row.kind for row in views]
    assert [row["titles"] for row in slate.rows] == [
        [slot.title.pk for slot in row.slots] for row in views
    ]
    assert slate.release == release
    (event,) = slate.snapshot["viewer"]["events"]
    assert (event["kind"], event["title_id"]) == ("progress", films[0].pk)
    assert slate.fallback_reason == ""


def test_if_the_recommender_fails_popular_titles_are_served_and_it_is_written_down(
    release, visit, films, now, monkeypatch, caplog
):
    def fail(*args):
        raise RuntimeError("the index is gone")

    holder.get()  # it worked when it was loaded
    monkeypatch.setattr(Recommender, "home", fail)
    play(visit, films[0], now)
    page = responses.home(visit, now)
    assert page.is_fallback
    assert [row.kind for row in page.rows][:2] == ["continue_watching", "popular"]
    slate = Slate.objects.get(pk=page.slate_id)
    assert slate.fallback_reason == "RuntimeError: the index is gone"
    assert slate.release is None
    assert "the recommender failed" in caplog.text


def test_without_a_release_the_page_is_served_all_the_same(films, visit, now):
    page = responses.home(visit, now)
    assert page.is_fallback
    assert "no release" in Slate.objects.get(pk=page.slate_id).fallback_reason


def test_an_empty_catalogue_makes_an_empty_page(visit, now):
    assert responses.home(visit, now).rows == []


def test_the_home_page_costs_few_queries(release, visit, films, now, django_assert_max_num_queries):
    play(visit, films[0], now)
    holder.get()
    played_today.get()
    with django_assert_max_num_queries(9):
        responses.home(visit, now)


def test_a_new_title_is_found_within_the_next_look(release, visit, films, now):
    assert responses.search(visit, "zardoz", now).slots == []
    films[0].pk, films[0].external_id, films[0].name = None, "film-z", "Zardoz"
    films[0].save()
    holder.refresh()
    assert responses.search(visit, "zardoz", now).slots[0].title == films[0]
