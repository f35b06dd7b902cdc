"""What of an artifact is read, refused in words, and on disk when it has its name."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from recommender.artifacts import ARRAYS, MANIFEST, load_artifact, read_config, save_artifact
from recommender.errors import ArtifactError
from recommender.ranking.ranker import Ranker
from tests.breakages import breakages

FOLDER = Path(__file__).parents[1] / "webapp" / "discovery" / "fixtures" / "version_1"


@dataclass(frozen=True)
class Config:
    size: int = 2


@pytest.fixture
def artifact(tmp_path):
    arrays = {"ids": np.array([1, 4]), "weights": np.ones((2, 3), dtype=np.float32)}
    save_artifact(tmp_path / "model", "model", Config(), arrays)
    return tmp_path / "model"


def described(folder, **changes):
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | changes))


def test_a_folder_and_its_files_are_on_disk_before_the_name_is(tmp_path, monkeypatch):
    done, fsync, replace = [], os.fsync, os.replace

    def record_sync(descriptor):
        done.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        fsync(descriptor)

    def record_replace(draft, folder):
        done.append("named")
        replace(draft, folder)

    monkeypatch.setattr("recommender.whole_folder.os.fsync", record_sync)
    monkeypatch.setattr("recommender.whole_folder.os.replace", record_replace)
    save_artifact(tmp_path / "model", "model", Config(), {"ids": np.arange(3)})
    before, after = done[: done.index("named")], done[done.index("named") + 1 :]
    assert {MANIFEST, ARRAYS} < set(before)
    assert before[-1].startswith(".model-"), "the names in the draft come after its files"
    assert after == [tmp_path.name]


def test_what_fails_half_way_leaves_nothing(tmp_path):
    with pytest.raises(TypeError):
        save_artifact(tmp_path / "model", "model", "no settings", {"ids": np.arange(3)})
    assert list(tmp_path.iterdir()) == []


def test_an_artifact_without_a_format_is_read_as_of_the_first(artifact):
    manifest = json.loads((artifact / MANIFEST).read_text())
    assert manifest.pop("format") == 1
    (artifact / MANIFEST).write_text(json.dumps(manifest))
    assert load_artifact(artifact, "model").manifest.format == 1


def test_another_format_is_refused_in_words(artifact):
    described(artifact, format=2, keys_of_a_later_version={})
    with pytest.raises(ArtifactError, match=r"has format 2, and this version .* reads format 1"):
        load_artifact(artifact, "model")


def test_a_setting_of_another_version_is_refused_in_words():
    with pytest.raises(ArtifactError, match="other settings than this model"):
        read_config(Config, {"size": 3, "later": True}, {})
    assert read_config(Config, {}, {}) == Config()


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    save_artifact(tmp_path / "model", "model", Config(), {"weights": np.array([1.0, np.inf])})
    with pytest.raises(ArtifactError, match=r"weights in .* is not finite"):
        load_artifact(tmp_path / "model")


def test_an_array_is_checked_for_type_and_shape(artifact):
    model = load_artifact(artifact)
    assert model.array("weights", "f", 2, None).shape == (2, 3)
    with pytest.raises(ArtifactError, match=r"weights of the model is float32 \(2, 3\)"):
        model.array("weights", "f", 3, 3)
    with pytest.raises(ArtifactError, match="expected kind i"):
        model.array("weights", "i", 2, 3)
    with pytest.raises(ArtifactError, match="has no array bias"):
        model.array("bias", "f", 2)


def test_indices_and_ids_are_checked_for_their_values(artifact):
    model = load_artifact(artifact)
    assert model.indices("ids", 5, 2).tolist() == [1, 4]
    with pytest.raises(ArtifactError, match="must lie from 0 to 3, got 1 to 4"):
        model.indices("ids", 4, 2)
    assert model.ids("ids").tolist() == [1, 4]


def test_ids_that_repeat_belong_to_other_rows(tmp_path):
    save_artifact(tmp_path / "model", "model", Config(), {"ids": np.array([4, 1, 4])})
    with pytest.raises(ArtifactError, match="must ascend"):
        load_artifact(tmp_path / "model").ids("ids")


def test_a_ranker_broken_anywhere_loads_or_is_refused_in_words(tmp_path):
    shutil.copytree(FOLDER / "ranker", tmp_path / "ranker")
    refused = {}
    for how in breakages(tmp_path / "ranker"):
        try:
            Ranker.load(tmp_path / "ranker")
        except ArtifactError as error:
            refused[how] = str(error)
    assert len(refused) > 100
    assert all(len(words) > 40 for words in refused.values()), "each says what is wrong"
    Ranker.load(tmp_path / "ranker")
