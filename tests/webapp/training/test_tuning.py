"""An operator's search for better settings, and the training that uses them."""

import json
from dataclasses import asdict, replace

import pytest
from django.core.management import CommandError, call_command

from recommender.errors import InvalidInputError
from recommender.training.config import ReleaseConfig
from webapp.engine.live import folder_of
from webapp.releases.models import Release
from webapp.training.runs import queue_training, run_training
from webapp.training.tuning import tuned_ials


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
    folder = folder_of(Release.objects.get()) / "ials"
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
