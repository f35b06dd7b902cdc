"""One index for all processes: published once, mapped, asked for, and done without."""

import logging
import shutil

import numpy as np
import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from kombu.exceptions import OperationalError

from webapp.artifacts.store import artifact_store
from webapp.catalog.models import Genre, Person, Title
from webapp.celery import INDEX_TASK, app
from webapp.engine import catalogue_index, index_wait, live, responses
from webapp.engine.catalogue import export_catalogue, revision
from webapp.engine.catalogue_index import open_index, publish_index
from webapp.engine.polling import poller
from webapp.events.visits import current_visit
from webapp.jobs.tasks import build_catalogue_index
from webapp.releases.models import Release, TrainingRun
from webapp.slates.models import Slate
from webapp.threads import thread_bounds

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch):
    """The names of tasks that a polled process sends; the clock stands unless a test moves it."""
    names = []
    monkeypatch.setattr(app, "send_task", lambda name, **_: names.append(name))
    monkeypatch.setattr(live.holder, "is_polled", True)
    index_wait.index_wait.end()
    yield names
    index_wait.index_wait.end()


def folders():
    return [artifact_store().fetch(name) for name in catalogue_index._newest()]


def builds(monkeypatch):
    """Count what this process builds for itself."""
    counted = []
    build = catalogue_index.build_index
    monkeypatch.setattr(live, "build_index", lambda *args: counted.append(args) or build(*args))
    return counted


def save_title(films, n, **changes):
    film = films[n]
    for name, value in changes.items():
        setattr(film, name, value)
    film.save()
    return film


def test_a_process_maps_the_published_index_and_builds_nothing(release, monkeypatch):
    counted = builds(monkeypatch)
    assert publish_index()
    state = live.load_live(None)
    assert counted == []
    assert not state.catalogue.years.flags.writeable
    assert state.recommender is not None
    assert not state.recommender.space.flags.writeable
    assert not state.search.document_ids.flags.writeable


def test_a_mapped_state_shows_what_a_built_one_shows(release, people, films, now):
    built = live.load_live(None)
    publish_index()
    mapped = live.load_live(None)
    assert mapped.recommender is not built.recommender
    np.testing.assert_array_equal(mapped.recommender.space, built.recommender.space)
    for text in ("casablanca", "westerns", "like high noon", "sergio leone", "metrpolis"):
        assert mapped.search.search(text) == built.search.search(text)
        assert mapped.subjects.of(text) == built.subjects.of(text)
    for film in films[::7]:
        one, other = (s.recommender._similar_to(film.pk) for s in (mapped, built))
        np.testing.assert_array_equal(one.items, other.items)
        np.testing.assert_array_equal(one.scores, other.scores)


def test_pages_of_a_mapped_state_are_those_of_a_built_one(release, people, films, now):
    def pages():
        visit = current_visit(None, people[0], now)
        pages = responses.home(visit, now), responses.search(visit, "western", now)
        return [Slate.objects.get(pk=page.slate_id).rows for page in pages]

    built = pages()
    publish_index()
    poller.forget()
    assert pages() == built
    assert not live.holder.get().catalogue.years.flags.writeable


def test_an_index_is_built_once(release):
    assert publish_index()
    assert not publish_index()
    assert len(folders()) == 1


def test_the_command_builds_where_there_is_nothing_yet(release, capsys):
    call_command("index_catalogue")
    call_command("index_catalogue")
    published, nothing = capsys.readouterr().out.splitlines()
    assert published == "The catalogue's index is published."
    assert nothing.startswith("Nothing to build")
    assert len(folders()) == 1


def test_the_worker_builds_in_a_process_with_as_many_threads_as_the_web(monkeypatch, settings):
    settings.MODEL_THREADS = 3
    started = []
    monkeypatch.setattr(
        "subprocess.run", lambda command, env, check: started.append((command, env, check))
    )
    build_catalogue_index()
    [(command, env, check)] = started
    assert command[-1] == "index_catalogue"
    assert set(thread_bounds().values()) == {"3"}
    assert thread_bounds().items() <= env.items()
    assert check


def test_two_indexes_are_kept_and_drafts_are_not(release, films):
    publish_index()
    (folders()[0].parent / ".20260101-lost").mkdir()
    for year in range(1990, 1993):
        save_title(films, 1, year=year)
        publish_index()
    left = {path.name for path in folders()[0].parent.iterdir()}
    assert left == {folder.name for folder in folders()}
    assert len(folders()) == 2
    assert open_index(revision(), release.pk) is not None


def test_who_comes_second_leaves_the_build_to_the_first(release):
    with psycopg.connect(**connection.get_connection_params()) as worker:
        worker.execute("SELECT pg_advisory_lock(%s, %s)", catalogue_index.LOCK)
        assert catalogue_index.is_being_built()
        assert not publish_index()
        # A closed connection's lock goes a moment later, when its server process has ended.
        worker.execute("SELECT pg_advisory_unlock(%s, %s)", catalogue_index.LOCK)
    assert not catalogue_index.is_being_built()
    assert folders() == []


def test_an_index_of_another_release_code_or_catalogue_is_passed_over(release, films, monkeypatch):
    publish_index()
    now = revision()
    assert open_index(now, release.pk) is not None
    assert open_index(now, release.pk + 1) is None
    assert open_index(now, None) is None
    assert open_index((now[0] + 1, now[1]), release.pk) is None
    monkeypatch.setattr(catalogue_index, "_code", lambda: "other")
    assert open_index(now, release.pk) is None


def test_a_broken_index_is_logged_and_passed_over(release, caplog, monkeypatch):
    publish_index()
    largest = max(folders()[0].glob("*.npy"), key=lambda path: path.stat().st_size)
    content = largest.read_bytes()
    place = 200  # behind the header; the last bytes are room to grow into
    flipped = bytes([content[place] ^ 1])
    largest.write_bytes(content[:place] + flipped + content[place + 1 :])
    counted = builds(monkeypatch)
    with caplog.at_level(logging.WARNING):
        assert live.load_live(None).recommender is not None
    assert "passed over" in caplog.text
    assert len(counted) == 1


def test_a_process_that_serves_waits_for_the_worker_and_shows_new_cards(release, films, sent):
    before = live.load_live(None)
    assert before.cards.titles([films[1].pk])[films[1].pk].name == "High Noon"
    save_title(films, 1, name="Highest Noon")
    waiting = live.load_live(before)
    assert sent == [INDEX_TASK]
    assert waiting.index is before.index
    assert waiting.cards.titles([films[1].pk])[films[1].pk].name == "Highest Noon"
    assert live.load_live(waiting) is waiting
    assert sent == [INDEX_TASK], "it does not ask again at once"

    publish_index()
    after = live.load_live(waiting)
    assert after.search.search("highest noon").hits[0].id == films[1].pk
    assert live.load_live(after) is after


def test_where_titles_change_without_end_an_index_ahead_will_do(release, films, sent):
    before = live.load_live(None)
    save_title(films, 1, name="Highest Noon")
    publish_index()
    save_title(films, 2, name="Lowest Noon")
    ahead = live.load_live(before)
    assert ahead.search.search("highest noon").hits[0].id == films[1].pk
    assert ahead.search.search("lowest noon").hits[0].id == films[2].pk
    assert ahead.revision != revision()
    publish_index()
    after = live.load_live(ahead)
    assert after.search.search("lowest noon").hits[0].id == films[2].pk
    assert after.revision == revision()


def test_an_older_index_is_never_gone_back_to(release, films, sent):
    publish_index()
    save_title(films, 1, name="Highest Noon")
    built = live.load_live(None)
    save_title(films, 2, name="Lowest Noon")
    assert live.load_live(built).index is built.index


@pytest.mark.parametrize("is_busy", [True, False])
def test_a_process_builds_for_itself_where_no_worker_does(
    release, films, sent, settings, monkeypatch, is_busy
):
    settings.INDEX_WAIT_SECONDS = 20.0
    clock = [1000.0]
    monkeypatch.setattr("webapp.engine.index_wait.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(index_wait, "is_being_built", lambda: is_busy)
    before = live.load_live(None)
    save_title(films, 1, name="Highest Noon")
    for _ in range(11):
        waiting = live.load_live(before)
        assert waiting.index is before.index
        clock[0] += 2
    assert len(sent) == 3 if is_busy else 2
    after = live.load_live(waiting)
    assert (after.index is before.index) == is_busy
    assert after.search.search("highest noon").hits[0].id == films[1].pk


def test_nobody_waits_where_the_broker_is_not_reached(release, films, sent, monkeypatch, caplog):
    def refuse(name, **_):
        raise OperationalError("refused")

    monkeypatch.setattr(app, "send_task", refuse)
    before = live.load_live(None)
    save_title(films, 1, name="Highest Noon")
    assert live.load_live(before).search.search("highest noon").hits
    assert "no worker can be asked" in caplog.text


def test_nobody_waits_where_the_setting_is_0(release, films, sent, settings):
    settings.INDEX_WAIT_SECONDS = 0
    before = live.load_live(None)
    save_title(films, 1, name="Highest Noon")
    assert live.load_live(before).search.search("highest noon").hits
    assert sent == []


def test_a_new_release_is_waited_for_while_the_old_one_serves(release, films, sent):
    before = live.load_live(None)
    Release.objects.filter(pk=release.pk).update(is_live=False)
    run = TrainingRun.objects.create(seed=1)
    shutil.copytree(release.fetch(), release.fetch().with_name("other"))
    other = Release.objects.create(run=run, folder="artifacts/other", is_live=True)
    assert live.load_live(before).release_id == release.pk
    publish_index()
    assert live.load_live(before).release_id == other.pk


def test_a_recommender_with_a_network_is_loaded_by_each_process(visit_release, films, monkeypatch):
    counted = builds(monkeypatch)
    assert publish_index()
    index = open_index(revision(), visit_release.pk)
    assert index is not None
    assert index.recommender is None
    state = live.load_live(None)
    assert state.recommender is not None
    assert counted == []
    assert state.search.search("like casablanca").hits


def test_a_catalogue_without_a_release_has_an_index_too(films, monkeypatch):
    counted = builds(monkeypatch)
    assert publish_index()
    state = live.load_live(None)
    assert state.recommender is None
    assert state.search.search("casablanca").hits[0].id == films[20].pk
    assert counted == []


def test_an_empty_catalogue_has_an_index_too(db):
    assert publish_index()
    state = live.load_live(None)
    assert len(state.catalogue) == 0
    assert state.search.search("anything").hits == ()


def test_a_broken_release_is_indexed_and_served_by_the_old_one(release, films):
    before = live.load_live(None)
    save_title(films, 1, name="Highest Noon")
    Release.objects.filter(pk=release.pk).update(folder="artifacts/none")
    publish_index()
    after = live.load_live(before)
    assert "cannot be loaded" in after.trouble
    assert after.recommender is not None
    assert after.index is before.index


def test_names_of_people_and_genres_are_found_by_id(release):
    publish_index()
    index = open_index(revision(), release.pk)
    assert index is not None
    for name, id_ in Person.objects.values_list("name", "pk"):
        assert index.people.get(name) == id_
    for name, id_ in Genre.objects.values_list("name", "pk"):
        assert index.genres.get(name) == id_
    assert index.people.get("Nobody") is None


def test_a_title_saved_while_it_is_exported_is_in_the_next_index(release, films, monkeypatch):
    export = export_catalogue

    def export_and_save():
        exported = export()
        Title.objects.filter(pk=films[1].pk).update(name="Before")
        save_title(films, 1, name="Highest Noon")
        monkeypatch.setattr(catalogue_index, "export_catalogue", export)
        return exported

    monkeypatch.setattr(catalogue_index, "export_catalogue", export_and_save)
    assert publish_index()
    assert open_index(revision(), release.pk) is None
    assert publish_index()
    index = open_index(revision(), release.pk)
    assert index is not None
    assert index.search.search("highest noon").hits


def test_what_cannot_be_written_leaves_no_index(release, monkeypatch):
    def refuse(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(catalogue_index, "save_mapped", refuse)
    with pytest.raises(OSError, match="no space"):
        publish_index()
    assert folders() == []
    assert not catalogue_index.is_being_built()
