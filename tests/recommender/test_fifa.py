import json
from dataclasses import replace
from math import pi, sqrt

import numpy as np
import pytest
import torch

from recommender.data.examples import Examples, Field
from recommender.errors import ArtifactError, InvalidInputError, NotFittedError
from recommender.models.fifa import Fifa, FifaConfig, activate

FIELDS = (Field("who", 7), Field("what", 9), Field("when", 5))
SMALL = FifaConfig(
    embedding_size=4, epochs=3, batch_examples=64, init="published", learning_rate=1e-2
)


def drawn(fields=FIELDS, count=300, seed=0):
    """Whether class 1 is likely depends on pairs of values, which no single field tells."""
    rng = np.random.default_rng(seed)
    categories = np.stack([rng.integers(0, f.num_values, count) for f in fields if f.num_values], 1)
    numbers = rng.standard_normal((count, sum(not f.num_values for f in fields)))
    labels = (categories[:, 0] + categories[:, 1]) % 2
    return Examples(categories, numbers.astype(np.float32), labels)


def fifa(config=SMALL, fields=FIELDS, **changes):
    config = replace(config, **changes)
    return Fifa(fields, config).fit(drawn(fields))


def parts_of(model):
    """What was learned, in double precision: z by example, then U, c, w_out, w and b."""
    network = model._network
    examples = drawn()
    with torch.no_grad():
        embedded = network.embed(
            torch.from_numpy(examples.categories), torch.from_numpy(examples.numbers)
        )
    learned = (
        network.in_units.weight, network.in_units.bias, network.out_units.weight[0],
        network.out_linear.weight[0], network.out_linear.bias[0],
    )  # fmt: skip
    return examples, embedded.double().numpy(), *(p.detach().double().numpy() for p in learned)


def test_squaring_it_is_a_factorisation_machine_with_a_factorised_matrix_for_each_pair():
    model = fifa(activation="quadratic")
    examples, z, inner, c, out, linear, bias = parts_of(model)
    v = z.reshape(len(z), 3, 4)
    blocks = inner.reshape(-1, 3, 4)  # U by field
    matrices = np.einsum("mfa,m,mgb->fgab", blocks, out, blocks)
    pairs = np.einsum("nfa,fgab,ngb->n", v, matrices, v)
    singles = z @ (linear + 2 * (out * c) @ inner) + bias + out @ c**2
    np.testing.assert_allclose(model.logits(examples), pairs + singles, rtol=1e-5, atol=1e-5)


def test_squaring_with_one_u_it_is_a_plain_factorisation_machine():
    model = fifa(activation="quadratic", width_factor=4 / 3)
    network = model._network
    with torch.no_grad():
        sums = torch.eye(4).repeat(1, 3)  # Σ_f v_f, one unit a coordinate
        network.in_units.weight.copy_(torch.cat([sums, torch.eye(12)]))
        network.in_units.bias.zero_()
        network.out_units.weight.copy_(torch.cat([torch.full((4,), 0.5), torch.full((12,), -0.5)]))
    examples, z, *_, linear, bias = parts_of(model)
    v = z.reshape(len(z), 3, 4)
    expected = bias + z @ linear
    for f in range(3):
        for g in range(f + 1, 3):
            expected += (v[:, f] * v[:, g]).sum(axis=1)
    np.testing.assert_allclose(model.logits(examples), expected, rtol=1e-5, atol=1e-5)


def test_rectifying_it_is_a_network_of_one_hidden_layer_beside_a_linear_part():
    model = fifa(activation="relu")
    examples, z, inner, c, out, linear, bias = parts_of(model)
    expected = z @ linear + bias + np.maximum(z @ inner.T + c, 0) @ out
    np.testing.assert_allclose(model.logits(examples), expected, rtol=1e-5, atol=1e-5)


def test_gelu_meets_both_ends():
    units = torch.linspace(-3, 3, 61, dtype=torch.float64)
    for scale, close in ((1e-2, 1e-3), (1e-3, 1e-5)):
        small = activate(units * scale, "gelu") / scale**2 - units / (2 * scale)
        torch.testing.assert_close(small, units**2 / sqrt(2 * pi), atol=close, rtol=0)
    for scale, close in ((1e2, 2e-3), (1e4, 2e-5)):
        large = activate(units * scale, "gelu") / scale
        torch.testing.assert_close(large, units.relu(), atol=close, rtol=0)


def test_half_of_the_units_square_and_half_rectify():
    units = torch.tensor([[-2.0, 3.0, -2.0, 3.0]])
    assert activate(units, "half").tolist() == [[4.0, 9.0, 0.0, 3.0]]


@pytest.mark.parametrize("activation", ["quadratic", "relu", "gelu", "half"])
def test_it_learns_what_no_single_field_tells(activation):
    model = fifa(activation=activation, epochs=60)
    foretold = model.probabilities(drawn(seed=1)) > 0.5
    assert (foretold == drawn(seed=1).labels).mean() > 0.9


def test_a_number_is_learned_from():
    fields = (*FIELDS, Field("age"))
    rng = np.random.default_rng(3)
    examples = drawn(fields)
    numbers = rng.uniform(-2, 2, (300, 1)).astype(np.float32)
    labels = (np.abs(numbers[:, 0]) > 1).astype(np.int64)
    examples = Examples(examples.categories, numbers, labels)
    model = Fifa(fields, replace(SMALL, epochs=60)).fit(examples)
    assert ((model.probabilities(examples) > 0.5) == labels).mean() > 0.95


def test_the_scale_of_u_tells_in_which_regime_the_units_work():
    model = fifa()
    with torch.no_grad():
        model._network.in_units.weight.mul_(1e-3)
        model._network.in_units.bias.zero_()
    assert model.regimes(drawn()).summary() == {"quadratic": 1, "relu": 0, "between": 0}
    with torch.no_grad():
        model._network.in_units.bias.fill_(-9.0)
    assert model.regimes(drawn()).summary() == {"quadratic": 0, "relu": 1, "between": 0}


def test_penalties_are_of_whole_tables_and_halved():
    model = fifa(linear_penalty=2.0, embedding_penalty=3.0, field_penalty=5.0)
    network = model._network
    squares = {name: p.detach().square().sum().item() for name, p in network.named_parameters()}
    expected = squares["out_linear.weight"] + squares["out_units.weight"]
    expected += 1.5 * (squares["table"] + squares["number_out"])
    expected += 2.5 * squares["in_units.weight"]
    assert network.penalty().item() == pytest.approx(expected, rel=1e-5)


def test_parameters_and_operations_are_counted_as_the_formula_says():
    model = fifa(width_factor=2.0)
    size, width, values = 12, 24, 21
    assert model.num_parameters == values * 4 + (size + 1) * width + width + size + 1
    assert model.flops == 2 * width * size + 2 * width + 2 * size


def test_the_rate_falls_where_validation_does_not_improve_and_the_best_epoch_is_kept():
    values, told = iter([0.5, 0.6, 0.6, 0.7, 0.1, 0.1, 0.9]), []
    model = Fifa(FIELDS, replace(SMALL, epochs=9))
    model.fit(drawn(), lambda m: next(values), told.append)
    assert [report.learning_rate for report in told] == pytest.approx(
        [1e-2, 1e-2, 1e-2, 1e-3, 1e-3, 1e-4]
    )
    states = []
    again = iter([0.5, 0.6, 0.6, 0.7, 0.1, 0.1])

    def keep(m):
        states.append(m.logits(drawn()))
        return next(again)

    Fifa(FIELDS, replace(SMALL, epochs=9)).fit(drawn(), keep)
    np.testing.assert_array_equal(model.logits(drawn()), states[3])


def test_the_same_seed_learns_the_same():
    first, second, other = (fifa(seed=seed).logits(drawn()) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_it_comes_back_from_disk(tmp_path):
    fields = (*FIELDS, Field("age"))
    model = fifa(fields=fields)
    model.save(tmp_path / "fifa")
    again = Fifa.load(tmp_path / "fifa")
    assert (again.fields, again.config) == (fields, model.config)
    np.testing.assert_array_equal(again.logits(drawn(fields)), model.logits(drawn(fields)))
    with pytest.raises(ArtifactError, match="no readable artifact"):
        Fifa.load(tmp_path / "nothing")


@pytest.mark.parametrize("classes", [2, 3])
def test_an_artifact_from_when_there_were_more_classes(tmp_path, classes):
    model = fifa()
    model.save(tmp_path / "fifa")
    manifest = tmp_path / "fifa" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["config"]["settings"]["num_classes"] = classes
    manifest.write_text(json.dumps(content))
    if classes == 2:
        np.testing.assert_array_equal(
            Fifa.load(tmp_path / "fifa").logits(drawn()), model.logits(drawn())
        )
    else:
        with pytest.raises(ArtifactError, match="num_classes = 3 is no longer supported"):
            Fifa.load(tmp_path / "fifa")


def test_nothing_in_nothing_out():
    assert fifa().logits(drawn()[:0]).shape == (0,)
    with pytest.raises(NotFittedError, match="FiFa has learned nothing"):
        Fifa(FIELDS).logits(drawn())
    with pytest.raises(InvalidInputError, match="nothing to learn from"):
        Fifa(FIELDS).fit(drawn()[:0])
    with pytest.raises(InvalidInputError, match="one field or more"):
        Fifa([])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda e: replace(e, categories=e.categories + 5), "who has the values 0 to 6, got 5 to"),
        (lambda e: replace(e, categories=e.categories[:, :2]), "need categories"),
        (lambda e: replace(e, numbers=np.ones((300, 1), np.float32)), "need categories"),
        (lambda e: replace(e, labels=e.labels + 1), "labels must be 0 or 1, got 1 to 2"),
    ],
)
def test_examples_of_other_fields_are_refused(change, words):
    with pytest.raises(InvalidInputError, match=words):
        Fifa(FIELDS).fit(change(drawn()))


def test_a_number_that_is_none_is_refused():
    fields = (*FIELDS, Field("age"))
    examples = drawn(fields)
    examples.numbers[3] = np.nan
    with pytest.raises(InvalidInputError, match="every number must be finite"):
        Fifa(fields).fit(examples)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"activation": "sine"}, "activation must be one of quadratic, relu, gelu, half"),
        ({"init": "zero"}, "init must be one of"),
        ({"embedding_size": 0}, "embedding_size must be a whole number from 1 up, got 0"),
        ({"width_factor": 0.0}, "width_factor must be positive"),
        ({"learning_rate": float("nan")}, "learning_rate must be positive"),
        ({"field_penalty": -1.0}, "field_penalty must be 0 or more"),
        ({"unit_dropout": 1.0}, "unit_dropout must be from 0 to below 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, words):
    with pytest.raises(InvalidInputError, match=words):
        replace(SMALL, **changes)
