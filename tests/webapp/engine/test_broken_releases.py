"""A release or ranker that cannot be used never takes the site down, whatever it raises."""

import shutil
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from recommender.serving.recommender import Recommender
from tests.breakages import breakages
from tests.webapp.discovery.test_version_1 import FOLDER
from webapp.engine import live
from webapp.engine.catalogue import revision
from webapp.engine.catalogue_index import build_index
from webapp.engine.live import holder, load_live
from webapp.engine.polling import Poller
from webapp.releases.models import RankerVersion, Release, TrainingRun
from webapp.releases.publishing import publish
from webapp.slates.models import Slate

pytestmark = pytest.mark.django_db

RAISED = [KeyError("factors"), TypeError("settings"), ZeroDivisionError(), RecursionError("deep")]
"""Other than the recommender's own errors."""


@pytest.fixture
def live_ranker(release, now):
    run = TrainingRun.objects.create(kind="teacher")
    shutil.copytree(FOLDER / "ranker", release.fetch().parent / "ranker")
    ranker = RankerVersion.objects.create(
        run=run, folder="artifacts/ranker", learned_until=now - timedelta(hours=1)
    )
    publish(ranker, now)
    return ranker


@pytest.fixture
def newer(release, now):
    """A second release, live beside the first one's artifacts."""
    shutil.copytree(release.fetch(), release.fetch().parent / "newer")
    run = TrainingRun.objects.create(status="succeeded")
    newer = Release.objects.create(run=run, folder="artifacts/newer")
    publish(newer, now)
    return newer


@pytest.mark.usefixtures("visit_release")
def test_a_release_broken_anywhere_serves_popular_titles_in_a_fresh_process(release, caplog):
    caplog.set_level("CRITICAL", logger="webapp.engine.live")
    whole, refused = build_index(revision(), None), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "build_index", lambda now, _: replace(whole, release_id=None))
        for how in breakages(release.fetch(), every=5):
            state = load_live(None)
            if state.recommender is None:
                assert "cannot be loaded" in state.trouble, how
                assert state.broken_release_id == release.pk, how
                refused.append(how)
    assert len(refused) > 40


@pytest.mark.parametrize("error", RAISED, ids=repr)
def test_whatever_a_release_raises_a_fresh_process_serves(client, release, monkeypatch, error):
    def load(folder, catalogue):
        raise error

    monkeypatch.setattr(Recommender, "load", load)
    response = client.get("/")
    assert response.status_code == 200
    assert Slate.objects.get().fallback_reason.startswith(f"release {release.pk} cannot be loaded")


@pytest.mark.parametrize("error", RAISED, ids=repr)
def test_whatever_a_new_release_raises_the_old_one_goes_on_and_it_is_read_once(
    client, release, now, monkeypatch, error
):
    assert client.get("/").status_code == 200
    loads = []

    def load(folder, catalogue):
        loads.append(folder)
        raise error

    monkeypatch.setattr(Recommender, "load", load)
    run = TrainingRun.objects.create(status="succeeded")
    publish(Release.objects.create(run=run, folder="artifacts/newer"), now)
    for _ in range(5):
        holder.refresh()
    assert len(loads) <= 2, "one by the index, one by the process"
    assert client.get("/").status_code == 200
    assert [slate.fallback_reason for slate in Slate.objects.all()] == ["", ""]
    assert holder.get().release_id == release.pk


def test_a_release_whose_pages_fail_is_not_served(release, newer, monkeypatch):
    """Artifacts can be whole and still fail at the first page."""
    Release.objects.filter(pk=newer.pk).update(is_live=False)
    Release.objects.filter(pk=release.pk).update(is_live=True)
    state = load_live(None)
    assert state.release_id == release.pk
    publish(newer, newer.published_at)

    def home(self, *args, **kwargs):
        raise IndexError("out of bounds")

    monkeypatch.setattr(Recommender, "home", home)
    after = load_live(state)
    assert (after.release_id, after.broken_release_id) == (release.pk, newer.pk)


def test_a_ranker_broken_anywhere_leaves_the_order_to_the_score(live_ranker, caplog):
    caplog.set_level("CRITICAL", logger="webapp.engine.live")
    before, refused = load_live(None), []
    assert before.ranker_id == live_ranker.pk
    anew = replace(before, ranker_id=None, broken_ranker_id=None)
    for how in breakages(live_ranker.fetch(), every=5):
        state = load_live(anew)
        if state.ranker_id is None:
            assert state.broken_ranker_id == live_ranker.pk, how
            assert load_live(state) is state, f"read again: {how}"
            refused.append(how)
        assert state.recommender is not None
    assert len(refused) > 10


def test_a_score_that_is_not_finite_is_never_stored(client, release, monkeypatch):
    assert client.get("/").status_code == 200
    home = Recommender.home

    def endless(self, *args, **kwargs):
        rows = home(self, *args, **kwargs)
        return [replace(row, scores=np.full_like(row.scores, np.inf)) for row in rows]

    monkeypatch.setattr(Recommender, "home", endless)
    assert client.get("/").status_code == 200
    assert "not finite" in Slate.objects.latest("created_at").fallback_reason


def test_reasons_and_features_that_fail_cost_the_recommender_not_the_page(
    client, release, monkeypatch
):
    assert client.get("/").status_code == 200
    for name in ("reasons", "features"):
        with monkeypatch.context() as patch:
            patch.setattr(Recommender, name, lambda *args: {}["gone"])
            assert client.get("/").status_code == 200
        assert "KeyError" in Slate.objects.latest("created_at").fallback_reason


def test_no_request_loads_where_a_poller_runs(client, films, monkeypatch):
    """A process that could not load yet says so at once, and every request does."""
    loads = []

    def load(before):
        loads.append(before)
        raise ValueError("the catalogue cannot be read")

    monkeypatch.setattr(holder, "_read", load)
    monkeypatch.setattr(holder, "is_polled", True)
    Poller(holder).poll()
    client.raise_request_exception = False
    for address in ("/", "/search/?q=noon", "/api/v1/search?q=noon"):
        response = client.get(address)
        assert (response.status_code, response["Retry-After"]) == (503, "10")
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    assert len(loads) == 1
