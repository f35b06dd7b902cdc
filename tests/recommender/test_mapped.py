"""Objects in folders that processes map: equal, shared, read-only, and refused when broken."""

import json
import shutil
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy import sparse

from recommender.errors import ArtifactError
from recommender.mapped import code_fingerprint, grown, grown_matrix, load_mapped, save_mapped


@dataclass(frozen=True)
class Shelf:
    name: str
    lengths: np.ndarray
    parts: tuple[object, ...] = ()
    by_code: dict[object, object] = field(default_factory=dict)
    matrix: sparse.csr_array | None = None


class Reader:
    def __init__(self, shelf):
        self.shelf = shelf


CLASSES = (Shelf, Reader)
ABOUT = {"release": 3, "revision": [2, "2026"]}
LARGE = np.arange(10_000, dtype=np.int64)


def round_trip(folder, root):
    save_mapped(folder, root, CLASSES, ABOUT)
    return load_mapped(folder, CLASSES, ABOUT)


def test_values_come_back_as_they_were(tmp_path):
    matrix = sparse.csr_array(np.array([[0, 2, 0], [1, 0, 3]], dtype=np.float32))
    shelf = Shelf(
        "Ænima \ud800", LARGE, (1, 2.5, None, [True]), {6: "six", "n": np.float32(0.1)}, matrix
    )

    loaded = round_trip(tmp_path / "a", shelf)

    assert (loaded.name, loaded.parts, loaded.by_code) == (shelf.name, shelf.parts, shelf.by_code)
    assert type(loaded.by_code["n"]) is np.float32
    np.testing.assert_array_equal(loaded.lengths, LARGE)
    assert loaded.matrix.dtype == np.float32
    np.testing.assert_array_equal(loaded.matrix.toarray(), matrix.toarray())
    np.testing.assert_array_equal(loaded.matrix[[1]].toarray(), [[1, 0, 3]])


@pytest.mark.parametrize("shape", [(0,), (0, 4), (3, 0), (), (2, 3, 4)])
@pytest.mark.parametrize("order", "CF")
def test_arrays_keep_shape_type_and_order(tmp_path, shape, order):
    array = np.asarray(np.random.default_rng(1).random(shape), np.float32, order=order)
    loaded = round_trip(tmp_path / "a", Shelf("s", array)).lengths
    assert (loaded.shape, loaded.dtype, loaded.flags.f_contiguous) == (
        array.shape, array.dtype, array.flags.f_contiguous,
    )  # fmt: skip
    np.testing.assert_array_equal(loaded, array)


def test_what_is_shared_stays_shared(tmp_path):
    shelf = Shelf("s", LARGE)
    [one, other, array] = round_trip(tmp_path / "a", [Reader(shelf), Reader(shelf), LARGE])
    assert one.shelf is other.shelf
    assert one.shelf.lengths is array
    assert len(list((tmp_path / "a").glob("*.npy"))) == 1


@pytest.mark.parametrize("array", [LARGE, LARGE[:3].copy()])
def test_arrays_are_read_only(tmp_path, array):
    loaded = round_trip(tmp_path / "a", Shelf("s", array)).lengths
    with pytest.raises(ValueError, match="read-only"):
        loaded[0] = 7


def test_large_arrays_are_mapped(tmp_path):
    loaded = round_trip(tmp_path / "a", Shelf("s", LARGE)).lengths
    while isinstance(loaded, np.ndarray) and not isinstance(loaded, np.memmap):
        loaded = loaded.base
    assert isinstance(loaded, np.memmap)


def test_a_class_that_is_not_listed_is_neither_written_nor_made(tmp_path):
    with pytest.raises(ArtifactError, match="Reader cannot be mapped"):
        save_mapped(tmp_path / "a", Reader(Shelf("s", LARGE)), [Shelf], ABOUT)
    assert list(tmp_path.iterdir()) == []
    save_mapped(tmp_path / "a", Reader(Shelf("s", LARGE)), CLASSES, ABOUT)
    with pytest.raises(ArtifactError, match="not listed"):
        load_mapped(tmp_path / "a", [Shelf], ABOUT)


def test_objects_of_python_are_not_written(tmp_path):
    with pytest.raises((ArtifactError, ValueError)):
        save_mapped(tmp_path / "a", np.array([object()]), CLASSES, ABOUT)
    assert list(tmp_path.iterdir()) == []


def test_an_object_that_refers_to_itself_is_refused(tmp_path):
    reader = Reader(None)
    reader.shelf = reader
    with pytest.raises(ArtifactError, match="itself"):
        save_mapped(tmp_path / "a", reader, CLASSES, ABOUT)


def test_a_folder_is_written_once_and_for_one_purpose(tmp_path):
    save_mapped(tmp_path / "a", Shelf("s", LARGE), CLASSES, ABOUT)
    with pytest.raises(ArtifactError, match="exists already"):
        save_mapped(tmp_path / "a", Shelf("s", LARGE), CLASSES, ABOUT)
    with pytest.raises(ArtifactError, match="expected"):
        load_mapped(tmp_path / "a", CLASSES, {**ABOUT, "release": 4})
    with pytest.raises(ArtifactError, match="no readable"):
        load_mapped(tmp_path / "b", CLASSES, ABOUT)


@pytest.mark.parametrize("size", [3, 10_000])
def test_a_changed_byte_is_noticed_in_every_file(tmp_path, size):
    save_mapped(tmp_path / "a", Shelf("s", LARGE[:size].copy()), CLASSES, ABOUT)
    for path in sorted((tmp_path / "a").iterdir()):
        content = path.read_bytes()
        place = len(content) // 3  # the last bytes may be room to grow into
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(ArtifactError):
            load_mapped(tmp_path / "a", CLASSES, ABOUT)
        path.write_bytes(content[:-1])
        with pytest.raises(ArtifactError):
            load_mapped(tmp_path / "a", CLASSES, ABOUT)
        path.unlink()
        with pytest.raises(ArtifactError):
            load_mapped(tmp_path / "a", CLASSES, ABOUT)
        path.write_bytes(content)
    assert load_mapped(tmp_path / "a", CLASSES, ABOUT).name == "s"


def test_the_manifest_is_plain_json(tmp_path):
    save_mapped(tmp_path / "a", Shelf("s", LARGE), CLASSES, ABOUT)
    _, text = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert json.loads(text)["about"] == ABOUT


def test_the_fingerprint_follows_the_code(tmp_path):
    (tmp_path / "one.py").write_text("a = 1")
    before = code_fingerprint([tmp_path])
    assert code_fingerprint([tmp_path]) == before
    (tmp_path / "one.py").write_text("a = 2")
    assert code_fingerprint([tmp_path]) != before


@pytest.mark.parametrize("shape", [(5000,), (600, 16)])
def test_a_mapped_array_grows_without_being_copied(tmp_path, shape):
    array = np.random.default_rng(2).random(shape).astype(np.float32)
    rows = np.ones((3, *shape[1:]), dtype=np.float32)
    mapped = round_trip(tmp_path / "a", Shelf("s", array)).lengths
    more = grown(mapped, rows)
    np.testing.assert_array_equal(more, np.concatenate([array, rows]))
    assert isinstance(more.base, np.memmap)
    assert not isinstance(grown(more[1:], rows).base, np.memmap)
    again = grown(mapped, 2 * rows)
    np.testing.assert_array_equal(more[-3:], rows, "two that grew are each by itself")
    np.testing.assert_array_equal(again[-3:], 2 * rows)
    np.testing.assert_array_equal(load_mapped(tmp_path / "a", CLASSES, ABOUT).lengths, array)


def test_what_cannot_grow_in_place_is_copied(tmp_path):
    plain = np.arange(4.0)
    np.testing.assert_array_equal(grown(plain, plain), [0, 1, 2, 3, 0, 1, 2, 3])
    mapped = round_trip(tmp_path / "a", Shelf("s", LARGE)).lengths
    too_many = np.zeros(10**6, dtype=np.int64)
    assert len(grown(mapped, too_many)) == len(LARGE) + 10**6
    shutil.rmtree(tmp_path / "a")
    np.testing.assert_array_equal(grown(mapped, plain.astype(np.int64))[-4:], plain)


def test_a_mapped_matrix_grows_by_rows(tmp_path):
    rng = np.random.default_rng(4)
    matrix = sparse.random_array((500, 80), density=0.2, rng=rng, dtype=np.float32).tocsr()
    rows = sparse.random_array((3, 80), density=0.2, rng=rng, dtype=np.float32).tocsr()
    mapped = round_trip(tmp_path / "a", Shelf("s", LARGE, matrix=matrix)).matrix
    for one in (matrix, mapped):
        more = grown_matrix(one, rows)
        expected = sparse.vstack([matrix, rows]).toarray()
        np.testing.assert_array_equal(more.toarray(), expected)
        np.testing.assert_array_equal(more[[501]].toarray()[0], expected[501])
        np.testing.assert_allclose(more @ np.ones(80, np.float32), expected.sum(axis=1), rtol=1e-5)
