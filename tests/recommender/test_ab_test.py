"""Arms' sizes, effects, planning and interleaving: by hand, by law, and by simulation."""

import numpy as np
import pytest
from scipy import stats

from recommender.errors import InvalidInputError
from recommender.evaluation.ab_test import (
    Ratio,
    design_effect,
    detectable_effect,
    effect,
    effect_within_units,
    mismatch_p,
    mixture_p,
    mixture_reach,
    needed_visits,
    preference,
)
from recommender.ranking.interleaving import credit, draft_row, team_draft
from recommender.ranking.page import Row

SEEDS = 200


def visits(rng, rate, profiles=150, each=20, spread=0.1):
    """Abandonments of visits: profiles differ, so a profile's visits are alike."""
    rates = np.clip(rng.normal(rate, spread, profiles), 0, 1)
    units = np.repeat(np.arange(profiles), each)
    return Ratio.of_visits(units, (rng.random(len(units)) < rates[units]).astype(float))


def test_a_rate_is_a_ratio_of_sums_over_units():
    ratio = Ratio.of_visits(
        np.array([7, 7, 9, 5]), np.array([1.0, 0, 1, 1]), np.array([2.0, 1, 1, 0])
    )
    assert ratio.parts.tolist() == [1, 1]
    assert ratio.wholes.tolist() == [3, 1]
    assert ratio.value == 0.5
    # residuals 1 - .5 * 3 and 1 - .5, variance .5, mean of wholes 2, two units
    assert ratio.error == pytest.approx(np.sqrt(0.5 / 4 / 2))


def test_with_one_visit_a_unit_the_error_is_that_of_a_mean():
    hits = np.array([1.0, 0, 0, 1, 1, 0, 0, 0])
    ratio = Ratio.of_visits(np.arange(8), hits)
    assert ratio.error == pytest.approx(hits.std(ddof=1) / np.sqrt(8))
    assert design_effect(ratio) == pytest.approx(8 / 7)


def test_a_test_of_a_against_a_rejects_at_its_nominal_rate():
    """Over 200 seeds 5 % is 10; 3.1 standard deviations are 9.6."""
    found, always = 0, 0
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        told = effect(visits(rng, 0.4), visits(rng, 0.4), 0.05, rng, resamples=200)
        found += told.p < 0.05
        always += told.always_p < 0.05
        assert (told.always_p < 0.05) == (
            abs(told.difference.value) > told.always.high - told.difference.value
        )
    assert 1 <= found <= 19
    assert always <= found


def test_arms_that_share_units_by_hand():
    # Units 1, 2, 3 have ours (2 of 4, 1 of 1, none) and theirs (1 of 1, 0 of 2, 1 of 2).
    units = np.array([1, 2, 1, 2, 3])
    is_ours = np.array([True, True, False, False, False])
    parts, wholes = np.array([2.0, 1, 1, 0, 1]), np.array([4.0, 1, 1, 2, 2])
    rng = np.random.default_rng(0)
    found = effect_within_units(units, is_ours, parts, wholes, 0.1, rng)
    assert found.difference.value == pytest.approx(3 / 5 - 2 / 5)
    # (p - R w) / mean w: ours (-.4, .4, 0) / (5/3), theirs (.6, -.8, .2) / (5/3)
    error = np.std([-1.0 / (5 / 3), 1.2 / (5 / 3), -0.2 / (5 / 3)], ddof=1) / np.sqrt(3)
    assert found.p == pytest.approx(2 * stats.norm.sf(0.2 / error))
    with pytest.raises(InvalidInputError, match="2 units or more are needed, got 1 units"):
        effect_within_units(units[:1], is_ours[:1], parts[:1], wholes[:1], 0.1, rng)


def test_arms_that_share_no_unit_are_compared_as_before():
    rng = np.random.default_rng(3)
    units = np.repeat(np.arange(200), 5)
    parts, wholes = (rng.random(1000) < 0.4).astype(float), np.ones(1000)
    is_ours = units < 100
    within = effect_within_units(units, is_ours, parts, wholes, 0.1, rng)
    apart = effect(
        Ratio.of_visits(units[is_ours], parts[is_ours]),
        Ratio.of_visits(units[~is_ours], parts[~is_ours]), 0.1, rng,
    )  # fmt: skip
    assert within.p == pytest.approx(apart.p, rel=0.02)
    assert within.difference.low == pytest.approx(apart.difference.low, abs=0.01)
    assert within.difference.high == pytest.approx(apart.difference.high, abs=0.01)


def test_within_units_the_test_rejects_at_its_nominal_rate_and_finds_more():
    rejected = {(shift, how): 0 for shift in (0.0, 0.05) for how in ("within", "apart")}
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        units = np.repeat(np.arange(150), 20)
        rates = np.clip(rng.normal(0.4, 0.25, 150), 0.05, 0.9)[units]
        by_visit = rng.random(3000) < 0.5
        by_unit = (rng.random(150) < 0.5)[units]
        draws = rng.random(3000)
        for shift in (0.0, 0.05):
            parts = (draws < rates + shift * by_visit).astype(float)
            found = effect_within_units(units, by_visit, parts, np.ones(3000), 0.05, rng, 20)
            rejected[shift, "within"] += found.p < 0.05
            parts = (draws < rates + shift * by_unit).astype(float)
            ours, theirs = (Ratio.of_visits(units[of], parts[of]) for of in (by_unit, ~by_unit))
            rejected[shift, "apart"] += effect(ours, theirs, 0.05, rng, 20).p < 0.05
    # 5 % of 200 is 10, with a standard deviation of 3
    assert 2 <= rejected[0.0, "within"] <= 20
    assert rejected[0.05, "within"] > rejected[0.05, "apart"] + 40


def test_whoever_looks_at_every_step_is_fooled_by_the_plain_p_and_not_by_the_sequential_one():
    plain, sequential = 0, 0
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        ours, theirs = visits(rng, 0.4, 400, 5), visits(rng, 0.4, 400, 5)
        p, always = [], []
        for units in range(20, 401, 20):
            seen = [Ratio(each.parts[:units], each.wholes[:units]) for each in (ours, theirs)]
            difference = seen[0].value - seen[1].value
            error = float(np.hypot(seen[0].error, seen[1].error))
            p.append(2 * stats.norm.sf(abs(difference) / error))
            always.append(mixture_p(difference, error, 0.05))
        plain += min(p) < 0.05
        sequential += min(always) < 0.05
    assert plain > 30
    assert sequential <= 19


def test_a_planted_effect_is_found_at_the_promised_power():
    """An effect of the detectable size, design effect and all, is found in 80 % of experiments."""
    rng = np.random.default_rng(0)
    design = np.mean([design_effect(visits(rng, 0.4)) for _ in range(40)])
    planted = detectable_effect(0.4, (3000, 3000), 0.8, 0.05, float(design))
    found = 0
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        told = effect(visits(rng, 0.4 - planted), visits(rng, 0.4), planted, rng, resamples=50)
        found += told.p < 0.05 and told.difference.value < 0
    assert 0.70 <= found / SEEDS <= 0.90


def test_planning_by_hand_and_there_and_back():
    # (1.960 + 0.842) sqrt(.25 * 2 / 1000) = .0627
    assert detectable_effect(0.5, (1000, 1000), 0.8, 0.05) == pytest.approx(0.06264, abs=1e-4)
    number = needed_visits(0.3, 0.02, 0.8, 0.05, design=2.0)
    assert detectable_effect(0.3, (number, number), 0.8, 0.05, 2.0) == pytest.approx(0.02, rel=1e-3)
    with pytest.raises(InvalidInputError, match=r"baseline must be between 0 and 1, got 1\.5"):
        detectable_effect(1.5, (10, 10), 0.8, 0.05)


def test_arms_as_large_as_meant_and_arms_that_are_not():
    assert mismatch_p([500, 500], [0.5, 0.5]) == 1.0
    # chi-square 4 at one degree of freedom
    assert mismatch_p([520, 480], [0.5, 0.5]) == pytest.approx(0.2059, abs=1e-4)
    assert mismatch_p([600, 400], [0.5, 0.5]) < 0.001
    with pytest.raises(InvalidInputError):
        mismatch_p([0, 0], [0.5, 0.5])


@pytest.mark.parametrize("difference", [0.0, 0.01, 0.05, -0.2])
def test_the_sequential_interval_holds_the_effects_that_its_p_does_not_refuse(difference):
    reach = mixture_reach(0.02, 0.05, 0.05)
    assert mixture_p(reach, 0.02, 0.05) == pytest.approx(0.05)
    assert (mixture_p(difference, 0.02, 0.05) < 0.05) == (abs(difference) > reach)


def test_two_rankers_that_agree_are_even():
    wins = []
    for seed in range(2000):
        rng = np.random.default_rng(seed)
        draft = team_draft(range(10), range(10), 6, rng)
        assert draft.items == list(range(6))
        wins.append(credit(draft, [int(rng.integers(6))]))
    assert np.mean(wins) == pytest.approx(0.5, abs=0.035)


def test_a_draft_by_hand_each_round_gives_each_team_its_best_left():
    for seed in range(50):
        draft = team_draft([1, 2, 3, 4], [2, 5, 1, 6], 4, np.random.default_rng(seed))
        assert draft.teams[0] != draft.teams[1]
        assert draft.teams[2] != draft.teams[3]
        if draft.teams[0] == 0:
            assert draft.items[:2] == [1, 2]
        else:
            assert draft.items[:2] == [2, 1]


def test_all_items_of_both_come_where_there_are_fewer_than_asked():
    draft = team_draft([1, 2], [3], 9, np.random.default_rng(0))
    assert sorted(draft.items) == [1, 2, 3]
    assert dict(zip(draft.items, draft.teams, strict=True)) == {1: 0, 2: 0, 3: 1}


def test_the_better_ranker_wins():
    """Wanted are items 0 to 2: the one that puts them first is drafted first where they stand."""
    wins = []
    for seed in range(500):
        rng = np.random.default_rng(seed)
        draft = team_draft([0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], 4, rng)
        wins.append(credit(draft, [item for item in draft.items if item < 2]))
    assert np.mean(wins) > 0.9


def row_of(items, scores, evidence=None):
    bands = None if evidence is None else np.array(evidence)
    return Row("results", np.array(items), np.array(scores, dtype=np.float32), evidence=bands)


def test_a_row_on_which_both_agree_is_not_drafted():
    ours = row_of([3, 1, 2], [0.9, 0.5, 0.1])
    assert draft_row(ours, row_of([3, 1, 2], [7, 6, 5]), np.random.default_rng(0)) is ours
    nothing = row_of([], [])
    assert draft_row(nothing, ours, np.random.default_rng(0)) is nothing


def test_a_shared_row_keeps_bands_and_the_score_of_whoever_put_an_item_there():
    """Both find the same, in the same bands of evidence."""
    bands = [0, 0, 0, 1, 1, 2]
    ours = row_of([0, 1, 2, 3, 4, 5], [0.9, 0.5, 0.1, 0.8, 0.6, 0.1], bands)
    theirs = row_of([2, 1, 0, 4, 3, 5], [0.8, 0.6, 0.3, 0.9, 0.7, 0.5], bands)
    starts = set()
    for seed in range(40):
        shared = draft_row(ours, theirs, np.random.default_rng(seed))
        assert sorted(shared.items.tolist()) == list(range(6))
        assert set(shared.items[:3]) == {0, 1, 2}
        assert set(shared.items[3:5]) == {3, 4}
        assert shared.evidence.tolist() == bands
        for item, score, team in zip(shared.items, shared.scores, shared.teams, strict=True):
            of = (ours, theirs)[team]
            assert score == of.scores[of.items.tolist().index(item)]
        starts.add(int(shared.items[0]))
    assert starts == {0, 2}


def test_a_preference_by_hand():
    """Three viewers won 2 of 2, 1 of 2 and 3 of 4 lists: 6 of 8."""
    won = Ratio(np.array([2.0, 1, 3]), np.array([2.0, 2, 4]))
    found = preference(won, 0.05, np.random.default_rng(0))
    assert found.difference.value == pytest.approx(0.25)
    assert found.difference.low == pytest.approx(0.0)
    assert found.difference.high == pytest.approx(0.5)
    assert found.always.low < found.difference.value < found.always.high
    with pytest.raises(InvalidInputError, match="2 units or more, got 1"):
        preference(Ratio(np.ones(1), np.ones(1)), 0.05, np.random.default_rng(0))


def test_credit_by_hand():
    draft = team_draft([1, 2], [3, 4], 4, np.random.default_rng(0))
    assert credit(draft, []) == 0.5
    assert credit(draft, [1]) == 1.0
    assert credit(draft, [3, 3, 99]) == 0.0
    assert credit(draft, [1, 3]) == 0.5
