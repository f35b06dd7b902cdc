"""An operator's search for better settings."""

import pytest
from django.core.management import CommandError, call_command

from recommender.errors import InvalidInputError
from recommender.training.config import ReleaseConfig
from webapp.training.tuning import tuned_ials


@pytest.mark.django_db
def test_the_best_setting_is_shown_and_kept(people, capsys):
    assert tuned_ials() == ReleaseConfig().ials
    call_command("tune", "ials", "--quick")
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split()[:3] == ["D", "α₀", "λ*"]
    assert shown[-1] == "9 settings tried. The first is kept for training."
    kept = tuned_ials()
    best = shown[1].split()
    assert (kept.embedding_size, kept.epochs) == (32, int(best[4]))
    assert kept.unobserved_weight == float(best[1])
    assert kept.regularization == float(best[2])


@pytest.mark.django_db
def test_a_catalogue_without_history_is_refused_in_words(db):
    with pytest.raises(CommandError, match="no profile is held out"):
        call_command("tune", "ials", "--quick")


def test_a_kept_setting_that_cannot_be_read_is_refused(settings):
    folder = settings.MARQUEE_HOME / "tuning"
    folder.mkdir(parents=True)
    (folder / "ials.json").write_text('{"embedding_size": -3}')
    with pytest.raises(InvalidInputError, match=r"ials.json holds no setting of iALS: remove it"):
        tuned_ials()
