"""Verdicts stored before releases and rankers shared one type are read as ever."""

from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from recommender.verdict import Verdict
from webapp.releases.models import RankerVersion, Release, TrainingRun


@pytest.mark.django_db
def test_earlier_verdicts_of_releases_and_rankers_become_one_type():
    run = TrainingRun.objects.create
    old = {
        "passed": False, "metric": "ndcg@100", "new": 0.29, "live": 0.31, "needed": 0.2945,
        "words": "iALS fell behind: kept back.",
    }  # fmt: skip
    first = dict.fromkeys(old) | {"passed": True, "new": 0.3, "words": "Nothing was live."}
    releases = [
        Release.objects.create(run=run(), folder=f"r{n}", gate=gate)
        for n, gate in enumerate([old, first, {}])
    ]
    ranker = RankerVersion.objects.create(
        run=run(), folder="a", learned_until=timezone.now(),
        gate={"passed": True, "words": "AUC: published.", "new": {"auc": 0.7}, "live": None,
              "examples": 9},
    )  # fmt: skip
    module = import_module("webapp.releases.migrations.0004_verdicts")
    for _ in range(2):  # and what was read already stays
        module.convert(apps, None)
    for row in [*releases, ranker]:
        row.refresh_from_db()
    assert [release.verdict for release in releases] == [
        Verdict(False, str(old["words"]), {"ials": 0.29}, {"ials": 0.31}, {"ials": 0.2945}),
        Verdict(True, "Nothing was live.", {"ials": 0.3}),
        None,
    ]
    assert ranker.verdict == Verdict(True, "AUC: published.", {"auc": 0.7}, examples=9)
