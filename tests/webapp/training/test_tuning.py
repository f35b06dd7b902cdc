"""An operator's search for better settings, and the training that uses them."""

import json
from dataclasses import asdict, replace
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from recommender.errors import InvalidInputError
from recommender.models.ials import IalsConfig
from recommender.training import first_search
from recommender.training.config import ReleaseConfig
from recommender.training.first_search import FirstSearchConfig
from webapp.profiles.models import Rating
from webapp.releases.models import Release, TrainingRun
from webapp.training import runs, tuning
from webapp.training.export import export_interactions
from webapp.training.runs import queue_training, run_training
from webapp.training.tuning import Shape, is_search_due, search_first, tuned_ials


@pytest.mark.django_db
def test_the_best_setting_is_shown_and_kept(people, capsys):
    assert tuned_ials() == ReleaseConfig().ials
    call_command("tune", "ials", "--quick")
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split()[:3] == ["D", "α₀", "λ*"]
    assert shown[-1] == "9 settings tried. Training uses the first from now on."
    kept = tuned_ials()
    best = shown[1].split()
    assert (kept.embedding_size, kept.epochs) == (32, int(best[4]))
    assert kept.unobserved_weight == float(best[1])
    assert kept.regularization == float(best[2])


@pytest.mark.django_db
def test_a_catalogue_without_history_is_refused_in_words(db):
    with pytest.raises(CommandError, match="no profile is held out"):
        call_command("tune", "ials", "--quick")


@pytest.mark.django_db
def test_a_training_run_uses_the_tuned_settings(people):
    """A bug: the search's result was stored, and no training read it."""
    call_command("tune", "ials", "--quick")
    tuned = tuned_ials()
    assert tuned != ReleaseConfig().ials
    assert run_training(queue_training(lambda run_id: None, seed=5).pk).status == "succeeded"
    folder = Release.objects.get().fetch() / "ials"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["config"] == asdict(replace(tuned, seed=5))


@pytest.fixture
def damaged(settings):
    folder = settings.MARQUEE_HOME / "tuning"
    folder.mkdir(parents=True)
    (folder / "ials.json").write_text('{"embedding_size": -3}')


def test_stored_settings_that_cannot_be_read_name_the_file_and_the_remedy(damaged):
    with pytest.raises(
        InvalidInputError, match=r"tuning/ials.json holds no .*, or delete the file"
    ):
        tuned_ials()


@pytest.mark.django_db
def test_a_training_run_with_a_damaged_file_fails_and_says_what_to_do(damaged, people):
    run = run_training(queue_training(lambda run_id: None).pk)
    assert run.status == "failed"
    assert "Run `manage.py tune ials` again, or delete the file" in run.error
    assert not Release.objects.exists()


SMALL_SEARCH = FirstSearchConfig(
    start=IalsConfig(embedding_size=8, epochs=2), unobserved_weights=(0.3, 0.1),
    regularizations=(0.003,), max_embedding_size=16, max_trials=4,
)  # fmt: skip


@pytest.fixture
def searches(monkeypatch):
    """What each training run that searched found, and its stage meanwhile."""
    made = []

    def search(*arguments):
        found = search_first(*arguments)
        run = TrainingRun.objects.get(status="running")
        made.append((found, run.stage, run.progress))
        return found

    monkeypatch.setattr(first_search, "MIN_PROFILES", 20)
    monkeypatch.setattr(tuning, "FirstSearchConfig", lambda: SMALL_SEARCH)
    monkeypatch.setattr(runs, "FirstSearchConfig", lambda: SMALL_SEARCH)
    monkeypatch.setattr(runs, "search_first", search)
    return made


def trained(seed=0):
    run = run_training(queue_training(lambda run_id: None, seed=seed).pk)
    assert run.status == "succeeded", run.error


@pytest.mark.django_db
def test_the_first_training_searches_once_and_again_when_the_shape_has_changed(
    people, searches, client
):
    trained()
    [(found, stage, progress)] = searches
    assert (found.trials, stage, progress) == (4, "searching settings of ials", 1.0)
    assert tuned_ials() == replace(found.best.config, num_threads=None)
    metrics = Release.objects.get().metrics
    assert metrics["ials"]["search"] == json.loads(json.dumps(found.as_json()))
    client.force_login(User.objects.create_superuser("op", password="a long password"))
    assert found.summary in unescape(client.get("/staff/training/").content.decode())
    trained()
    assert len(searches) == 1, "same shape"
    Rating.objects.filter(profile__in=people[::2]).delete()
    trained()
    assert len(searches) == 2


@pytest.mark.django_db
def test_a_small_catalogue_and_an_operators_settings_are_left_alone(
    people, searches, settings, monkeypatch
):
    monkeypatch.setattr(first_search, "MIN_PROFILES", 1000)
    assert not is_search_due(export_interactions())
    monkeypatch.setattr(first_search, "MIN_PROFILES", 20)
    assert is_search_due(export_interactions())
    folder = settings.MARQUEE_HOME / "tuning"
    folder.mkdir(parents=True)
    (folder / "ials.json").write_text(json.dumps(asdict(ReleaseConfig().ials)))
    assert not is_search_due(export_interactions())


@pytest.mark.parametrize(
    ("profiles", "titles", "per_profile", "differs"),
    [(1400, 700, 14.0, False), (1500, 500, 10.0, True), (1000, 333, 10.0, True),
     (1000, 500, 15.0, True)],
)  # fmt: skip
def test_a_shape_has_changed_by_half(profiles, titles, per_profile, differs):
    assert Shape(1000, 500, 10.0).differs(Shape(profiles, titles, per_profile)) is differs
