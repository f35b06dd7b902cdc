"""A title saved since the index was built: shown, found and withdrawn before there is another."""

import json
import time
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

import numpy as np
import pytest

from tests.web_server import web_server
from webapp.catalog.models import Credit, Genre, Person, Title
from webapp.celery import app
from webapp.engine import catalogue_changes, index_wait, live, responses
from webapp.engine.catalogue import export_catalogue, revision
from webapp.engine.catalogue_index import build_index, publish_index
from webapp.engine.replay import replay
from webapp.events.visits import current_visit
from webapp.releases.models import Release
from webapp.slates.models import Slate

TEXTS = (
    "high noon", "highest noon", "casablanca", "western number", "romance 1971", "number",
    "metrpolis", "sergio leone", "science", "w",
)  # fmt: skip


@pytest.fixture
def polled(monkeypatch, settings):
    """A process that serves and waits for a worker that never builds."""
    settings.INDEX_WAIT_SECONDS = 600.0
    monkeypatch.setattr(app, "send_task", lambda name, **_: None)
    monkeypatch.setattr(live.holder, "is_polled", True)
    index_wait.index_wait.end()
    yield
    index_wait.index_wait.end()


@pytest.fixture
def served(release, polled):
    """The process's state before anything changed."""
    publish_index()
    return live.holder.refresh()


def save(film, **changes):
    for name, value in changes.items():
        setattr(film, name, value)
    film.save()
    return film


def refreshed():
    state = live.holder.refresh()
    assert state.index.revision != revision(), "it still waits for the index"
    return state


def built_anew():
    """What a whole new build makes of the same."""
    return build_index(revision(), Release.objects.get(is_live=True))


def ids(result):
    return [hit.id for hit in result.hits]


def titles_of(*rows):
    return {slot.title.pk for row in rows if row for slot in row.slots}


def test_search_finds_what_a_new_build_finds(served, films):
    save(films[1], name="Highest Noon", year=1999)
    save(films[20], alternative_names=["Rick's Place"])
    save(films[40], is_available=False)
    state, anew = refreshed(), built_anew()
    assert ids(state.search.search("highest noon")) == [films[1].pk]
    assert ids(state.search.search("rick's place")) == [films[20].pk]
    assert state.search.search("metropolis").unavailable == ("Metropolis",)
    for text in (*TEXTS, "highest moon", "rick", "1999", "metropolis"):
        one, other = (engine.search(text) for engine in (state.search, anew.search))
        assert ids(one) == ids(other), text
        assert [hit.band for hit in one.hits] == [hit.band for hit in other.hits], text
        assert (one.filters, one.unavailable) == (other.filters, other.unavailable), text


def test_what_is_one_number_is_as_a_new_build_has_it(served, films):
    save(films[1], maturity=16, year=1999)
    save(films[20], is_available=False, votes=70)
    state, anew = refreshed(), export_catalogue()
    for catalogue in (state.popular.catalogue, state.recommender.catalogue):
        for name in ("maturity", "years", "is_available", "added_at", "votes"):
            np.testing.assert_array_equal(getattr(catalogue, name), getattr(anew, name), name)
    np.testing.assert_array_equal(state.popular.catalogue.liked_by, anew.liked_by)
    assert state.num_changed == 2
    assert served.catalogue.maturity[1] == 18, "the state before is as it was"


def test_a_withdrawn_title_is_shown_nowhere(served, films, people, now):
    visit = current_visit(None, people[0], now)
    western = Genre.objects.get(name="Western")

    def shown():
        home = responses.home(visit, now)
        listing = responses.genre_page(visit, western, 1, now).row
        like = responses.title_page(visit, films[2], now).more_like
        return titles_of(*home.rows, listing, like)

    gone = films[5]
    assert gone.pk in shown()
    save(gone, is_available=False)
    refreshed()
    assert gone.pk not in shown()
    assert {gone.pk} == {film.pk for film in films[:20]} - titles_of(
        responses.genre_page(visit, western, 1, now).row
    )


@pytest.mark.usefixtures("polled")
def test_a_raised_age_limit_holds_on_every_surface(release, films, cast, now):
    Title.objects.update(maturity=0)
    publish_index()
    live.holder.refresh()
    cast.owner.maturity_limit = 12
    cast.owner.save()
    visit = current_visit(None, cast.owner, now)
    western = Genre.objects.get(name="Western")

    def shown():
        found = responses.search(visit, films[1].name, now)
        return [
            titles_of(*responses.home(visit, now, is_whole=True).rows),
            titles_of(responses.genre_page(visit, western, 1, now).row),
            titles_of(responses.title_page(visit, films[2], now).more_like),
            {slot.title.pk for slot in found.slots},
        ]

    assert [films[1].pk in surface for surface in shown()] == [True] * 4
    films[1].maturity = 16
    films[1].save()
    refreshed()
    assert [films[1].pk in surface for surface in shown()] == [False] * 4


def test_a_title_with_another_cast_is_found_by_it(served, films):
    person = Person.objects.create(name="Ada Lovelace")
    Credit.objects.create(title=films[1], person=person, role=Credit.Role.CAST)
    save(films[1])
    found = refreshed().search.search("ada lovelace")
    assert (ids(found), found.people) == ([films[1].pk], ("Ada Lovelace",))


def add_title(films, name, **facts):
    title = Title.objects.create(
        external_id=name,
        name=name,
        added_at=films[-1].added_at,
        plot="A stranger rides in.",
        **facts,
    )
    title.genres.set(films[0].genres.all())
    director = films[0].credits.first()
    if director is not None:
        Credit.objects.create(title=title, person=director.person, role=director.role)
    title.save()
    return title


def test_an_added_title_is_found_listed_and_placed_by_its_content(served, films, people, now):
    title = add_title(films, "Bad Day at Black Rock", year=1955, maturity=12)
    hidden = add_title(films, "The Lost Reel", is_available=False)
    state, anew = refreshed(), built_anew()
    for catalogue in (state.popular.catalogue, state.recommender.catalogue):
        expected = anew.popular.catalogue
        np.testing.assert_array_equal(catalogue.titles.ids, expected.titles.ids)
        np.testing.assert_array_equal(catalogue.genres.toarray(), expected.genres.toarray())
        np.testing.assert_array_equal(catalogue.people.toarray(), expected.people.toarray())
        np.testing.assert_array_equal(catalogue.maturity, expected.maturity)
        for genre in range(len(catalogue.genre_ids)):
            np.testing.assert_array_equal(
                catalogue.items_with_genre(genre), expected.items_with_genre(genre)
            )
    np.testing.assert_allclose(state.recommender.space, anew.recommender.space, atol=1e-6)
    assert np.abs(state.recommender.space[-2]).max() > 0
    assert ids(state.search.search("black rock")) == [title.pk]
    assert state.search.search("the lost reel").unavailable == (hidden.name,)
    visit = current_visit(None, people[0], now)
    western = Genre.objects.get(name="Western")
    assert title.pk in titles_of(responses.genre_page(visit, western, 1, now).row)
    page = responses.title_page(visit, title, now)
    assert {film.pk for film in films[:20]} & titles_of(page.more_like)
    home = responses.home(visit, now, is_whole=True)
    assert not home.is_fallback
    assert title.pk in titles_of(*home.rows)
    assert hidden.pk not in titles_of(*home.rows)


def test_an_added_title_is_like_others_as_a_new_build_has_it(served, films):
    title = add_title(films, "Bad Day at Black Rock", year=1955)
    state, anew = refreshed(), built_anew()
    one, other = (s.recommender.similarity(len(films)) for s in (state, anew))
    assert one.shape == other.shape
    np.testing.assert_allclose(one, other, atol=0.15)  # what is rare changes with each title
    rows = [s.recommender._similar_to(title.pk).items[:10] for s in (state, anew)]
    assert len(set(rows[0]) & set(rows[1])) >= 8


def test_every_question_is_answered_over_an_added_title(served, films, cast, people, now):
    title = add_title(films, "Bad Day at Black Rock", maturity=0)
    refreshed()
    for profile in (cast.owner, people[0]):
        visit = current_visit(None, profile, now)
        pages = (
            responses.home(visit, now), responses.prequery(visit, now),
            responses.search(visit, "rock", now), responses.typed(visit, "bad d", now),
            responses.title_page(visit, title, now),
        )  # fmt: skip
        for page in pages:
            assert Slate.objects.get(pk=page.slate_id).fallback_reason == ""


def test_an_added_title_of_an_earlier_id_waits_for_the_index(served, films):
    late = Title.objects.create(
        pk=films[0].pk - 500, external_id="late", name="Late", added_at=films[0].added_at
    )
    state = refreshed()
    assert state.num_changed == 0
    assert late.pk not in state.catalogue.titles


@pytest.mark.usefixtures("polled")
def test_a_release_that_cannot_take_titles_serves_the_others(visit_release, films):
    publish_index()
    live.holder.refresh()
    title = add_title(films, "Bad Day at Black Rock")
    save(films[1], name="Highest Noon")
    state = refreshed()
    assert title.pk not in state.catalogue.titles
    assert ids(state.search.search("highest noon")) == [films[1].pk]


def test_changes_add_up_and_are_always_made_from_the_index(served, films):
    save(films[1], name="Highest Noon")
    refreshed()
    save(films[20], name="Rick's Place")
    state = refreshed()
    assert state.num_changed == 2
    assert state.index is served.index
    assert ids(state.search.search("highest noon")) == [films[1].pk]
    save(films[1], name="High Noon")
    state = refreshed()
    assert ids(state.search.search("high noon"))[0] == films[1].pk
    assert ids(state.search.search("rick's place")) == [films[20].pk]


def test_nothing_is_made_anew_while_nothing_changes(served, films):
    save(films[1], name="Highest Noon")
    state = refreshed()
    assert live.holder.refresh() is state


def test_the_next_index_holds_the_changes_itself(served, films):
    save(films[1], name="Highest Noon")
    refreshed()
    publish_index()
    state = live.holder.refresh()
    assert state.num_changed == 0
    assert state.index is not served.index
    assert ids(state.search.search("highest noon")) == [films[1].pk]


def test_more_changes_than_are_laid_over_wait_for_the_index(served, films, monkeypatch):
    monkeypatch.setattr(catalogue_changes, "MOST_CHANGED", 1)
    save(films[1], name="Highest Noon")
    one = refreshed()
    save(films[20], name="Rick's Place")
    two = refreshed()
    assert two.search is one.search
    assert two.cards.titles([films[20].pk])[films[20].pk].name == "Rick's Place"
    publish_index()
    assert ids(live.holder.refresh().search.search("rick's place")) == [films[20].pk]


@pytest.mark.usefixtures("polled")
def test_a_release_with_a_network_takes_changes_too(visit_release, films):
    publish_index()
    live.holder.refresh()
    save(films[1], name="Highest Noon")
    save(films[20], is_available=False)
    state = refreshed()
    assert ids(state.search.search("highest noon")) == [films[1].pk]
    assert not state.recommender.catalogue.is_available[20]


@pytest.mark.usefixtures("polled")
def test_without_a_release_changes_are_served_too(films):
    publish_index()
    live.holder.refresh()
    save(films[20], is_available=False)
    state = refreshed()
    assert state.recommender is None
    assert not state.popular.catalogue.is_available[20]


def test_a_replay_says_that_titles_had_changed_shortly_before(served, films, people, now):
    visit = current_visit(None, people[0], now)
    pages = [responses.home(visit, now)]
    save(films[1], name="Highest Noon")
    refreshed()
    pages.append(responses.home(visit, now))
    before, after = (replay(Slate.objects.get(pk=page.slate_id)).notes for page in pages)
    assert after[0].startswith("1 title was changed or added shortly before")
    assert "shortly before" not in " ".join(before)


@pytest.mark.django_db(transaction=True)
def test_every_process_finds_a_saved_title_before_there_is_an_index(
    transactional_db, release, films, tmp_path
):
    publish_index()
    environment = {"CELERY_BROKER_URL": "memory://", "MARQUEE_INDEX_WAIT_SECONDS": "600"}
    with web_server(tmp_path, processes=2, **environment) as server:
        opener = build_opener(ProxyHandler({}))
        workers = {f"<{pid}>" for pid in server.workers()}
        assert len(workers) == 2

        def answers(text, is_found):
            """Wait until every process has answered so since the last that did not."""
            agreed, until = set(), time.monotonic() + 60
            while agreed != workers:
                assert time.monotonic() < until, (agreed, workers)
                place = server.log.stat().st_size
                address = f"{server.address}/api/v1/search?q={quote(text)}"
                with opener.open(address, timeout=20) as response:
                    titles = json.loads(response.read())["titles"]
                time.sleep(0.05)
                by = {line.split()[0] for line in server.log.read_text()[place:].splitlines()}
                names = [title["name"].lower() for title in titles]
                agreed = agreed | by if (text in names) == is_found else agreed - by

        answers("high noon", is_found=True)
        save(films[1], name="Casino Royale")
        answers("casino royale", is_found=True)
        save(films[20], is_available=False)
        answers("casablanca", is_found=False)
        add_title(films, "Bad Day at Black Rock")
        answers("bad day at black rock", is_found=True)
    log = (tmp_path / "server.log").read_text()
    assert "builds its own" not in log
    assert "no worker can be asked" not in log
