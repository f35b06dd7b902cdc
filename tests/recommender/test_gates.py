"""What the gate of releases lets pass, by hand-made metrics; that of rankers: test_ranker.py."""

import json

import pytest

from recommender.errors import InvalidInputError
from recommender.training.gates import RankerGate, ReleaseGate
from recommender.verdict import Verdict

GATE = ReleaseGate(tolerance=0.05)


def metrics(**values):
    return {model: {"ndcg@100": value} for model, value in values.items() if value is not None}


def test_what_is_first_passes():
    verdict = GATE.verdict(metrics(ials=0.3), None)
    assert verdict == Verdict(True, "Nothing was live to compare with.", {"ials": 0.3})


@pytest.mark.parametrize(("candidate", "passed"), [(0.3, True), (0.2945, True), (0.29, False)])
def test_a_release_worse_than_the_tolerance_is_kept_back(candidate, passed):
    verdict = GATE.verdict(metrics(ials=candidate), metrics(ials=0.31))
    assert verdict.passed is passed
    assert verdict.required == {"ials": pytest.approx(0.2945)}
    assert ("published" if passed else "kept back") in verdict.reason


@pytest.mark.parametrize(
    ("candidate", "live", "passed"),
    [(0.30, 0.31, True), (0.20, 0.31, False), (None, 0.31, True), (0.20, None, True)],
)
def test_neighbours_count_where_both_releases_have_them(candidate, live, passed):
    verdict = GATE.verdict(metrics(ials=0.4, larm=candidate), metrics(ials=0.4, larm=live))
    are_compared = candidate is not None and live is not None
    assert verdict.passed is passed
    assert ("R-LARM" in verdict.reason) is are_compared
    assert set(verdict.required) == ({"ials", "larm"} if are_compared else {"ials"})


@pytest.mark.parametrize("live", [None, {"ials": {}}, {"ials": {"ndcg@100": 0.3}}])
def test_too_few_profiles_to_compare_pass(live):
    """A bug: with a few dozen profiles now and then none was held out, and training failed."""
    verdict = GATE.verdict({"ials": {}}, live)
    assert verdict.passed is True
    assert verdict.candidate == {}
    assert verdict.reason


@pytest.mark.parametrize(
    ("value", "profiles", "passed"), [(0.15, 40, True), (0.14, 40, False), (0.14, 19, True)]
)
@pytest.mark.parametrize("live", [None, metrics(ials=0.1)], ids=["nothing live", "worse live"])
def test_a_release_that_is_not_above_popularity_is_kept_back(value, profiles, passed, live):
    candidate = metrics(ials=value, popularity=0.14)
    candidate["ials"]["held_out_profiles"] = profiles
    verdict = GATE.verdict(candidate, live)
    assert verdict.passed is passed
    assert ("not above popularity's 0.1400" in verdict.reason) is not passed


@pytest.mark.parametrize(("harm", "passed"), [(0.0, True), (0.012, False)])
def test_a_release_whose_visit_side_does_harm_is_kept_back(harm, passed):
    visits = {"visit_side": "prior", "harm": harm, "after_one_event": 90}
    verdict = GATE.verdict({**metrics(ials=0.3), "visits": visits}, None)
    assert verdict.passed is passed
    assert ("HR@20 lower by at least 0.0120 on 90 requests" in verdict.reason) is not passed


def test_a_verdict_survives_json():
    verdict = Verdict(False, "Kept back.", {"auc": 0.6}, {"auc": 0.7}, {"auc": 0.695}, 200)
    assert Verdict.from_json(json.loads(json.dumps(verdict.as_json()))) == verdict


@pytest.mark.parametrize(
    ("gate", "changes"),
    [
        (ReleaseGate, {"tolerance": -0.1}),
        (RankerGate, {"auc_tolerance": -1.0}),
        (RankerGate, {"diverged_above": 0.0}),
    ],
)
def test_settings_that_make_no_sense_are_refused(gate, changes):
    with pytest.raises(InvalidInputError, match=next(iter(changes))):
        gate(**changes)
