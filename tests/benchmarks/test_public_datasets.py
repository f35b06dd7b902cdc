import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import public_datasets
from benchmarks.public_datasets import Publication, load_ratings, read_folder
from recommender.errors import InvalidInputError

DATA = Path(__file__).resolve().parents[2] / "var" / "datasets"
DAT = "1::1193::5::978300760\n1::661::3::978302109\n2::1193::4::978298413\n"
CSV = (
    "userId,movieId,rating,timestamp\n1,2,3.5,1112486027\n1,29,4.0,1112484676\n7,2,0.5,974820889\n"
)


def folder_with(tmp_path, **files):
    for name, text in files.items():
        (tmp_path / name.replace("__", ".")).write_text(text)
    return tmp_path


def test_movielens_1m_in_its_own_form(tmp_path):
    ratings = read_folder(folder_with(tmp_path, ratings__dat=DAT))
    assert ratings.profiles.tolist() == [1, 1, 2]
    assert ratings.items.tolist() == [1193, 661, 1193]
    assert ratings.values.tolist() == [5, 3, 4]
    assert ratings.at_seconds.tolist() == [978300760, 978302109, 978298413]


def test_movielens_20m_in_its_own_form(tmp_path):
    ratings = read_folder(folder_with(tmp_path, ratings__csv=CSV))
    assert ratings.items.tolist() == [2, 29, 2]
    assert ratings.values.tolist() == [3.5, 4.0, 0.5]
    likes = ratings.likes(3.5)
    assert likes.profiles.ids.tolist() == [1]
    assert likes.matrix.nnz == 2
    assert ratings.likes(0.5, min_items=3).matrix.nnz == 0


def test_the_taste_profile_in_its_own_form(tmp_path):
    lines = ("b80344d0\tSOAKIM\t1", "b80344d0\tSOAPDE\t2", "a1\tSOAKIM\t5")
    text = "".join(f"{line}\n" for line in lines)
    ratings = read_folder(folder_with(tmp_path, train_triplets__txt=text))
    assert ratings.profiles.tolist() == [1, 1, 0]
    assert ratings.items.tolist() == [0, 1, 0]
    assert ratings.values.tolist() == [1, 2, 5]


def test_gowalla_in_both_its_forms(tmp_path):
    lists = read_folder(folder_with(tmp_path, train__txt="0 5 6\n1 5\n2\n", test__txt="0 7\n1 6\n"))
    assert lists.profiles.tolist() == [0, 0, 1, 0, 1]
    assert lists.items.tolist() == [5, 6, 5, 7, 6]
    assert lists.parts.tolist() == [0, 0, 0, 1, 1]
    other = tmp_path / "npz"
    other.mkdir()
    np.savez(other / "gowalla.npz", train_user=[0, 0, 1], train_item=[5, 6, 5],
             test_user=[0, 1], test_item=[7, 6])  # fmt: skip
    arrays = read_folder(other)
    for part in ("profiles", "items", "parts"):
        np.testing.assert_array_equal(getattr(arrays, part), getattr(lists, part))


def test_parquet_with_any_known_column_names(tmp_path):
    pq.write_table(pa.table({"user_id": [1, 2], "movie_id": [3, 4], "rating": [5, 1]}),
                   tmp_path / "ratings.parquet")  # fmt: skip
    ratings = load_ratings(f"path:{tmp_path}", Path("/nowhere"))
    assert (ratings.items.tolist(), ratings.at_seconds) == ([3, 4], None)


def zipped(tmp_path):
    archive = tmp_path / "published.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("ml-1m/README", "read me")
        file.writestr("ml-1m/ratings.dat", DAT)
    return archive


def publish(monkeypatch, archive, md5=None):
    md5 = md5 or hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setitem(public_datasets.PUBLISHED, "ml-1m", Publication(archive.as_uri(), md5))


def test_a_published_set_is_fetched_checked_and_read_from_its_zip(tmp_path, monkeypatch):
    publish(monkeypatch, zipped(tmp_path))
    assert load_ratings("ml-1m", tmp_path / "data").values.tolist() == [5, 3, 4]
    assert [p.name for p in (tmp_path / "data" / "ml-1m").iterdir()] == ["published.zip"]
    (tmp_path / "published.zip").unlink()
    assert len(load_ratings("ml-1m", tmp_path / "data").items) == 3  # no second fetch


def test_a_changed_archive_is_refused_and_not_kept(tmp_path, monkeypatch):
    publish(monkeypatch, zipped(tmp_path), md5="0" * 32)
    with pytest.raises(InvalidInputError, match="expected 0000"):
        load_ratings("ml-1m", tmp_path / "data")
    assert not list((tmp_path / "data" / "ml-1m").iterdir())


def test_without_a_network_it_says_what_to_do(tmp_path, monkeypatch):
    publish(monkeypatch, zipped(tmp_path))
    (tmp_path / "published.zip").unlink()
    with pytest.raises(InvalidInputError, match=r"cannot be fetched .* put its files in"):
        load_ratings("ml-1m", tmp_path / "data")
    with pytest.raises(InvalidInputError, match="holds no ml-1m: put"):
        load_ratings("ml-1m", tmp_path / "data", fetch=False)
    with pytest.raises(InvalidInputError, match=r"holds no msd: put train_triplets.txt"):
        load_ratings("msd", tmp_path)


def test_an_unknown_name_or_form_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="no data set 'ml-2m'; there are ml-1m"):
        load_ratings("ml-2m", tmp_path)
    with pytest.raises(InvalidInputError, match=r"holds no ratings: one of ratings.dat"):
        read_folder(tmp_path)
    folder_with(tmp_path, ratings__csv="name,age\nx,1\n")
    with pytest.raises(InvalidInputError, match=r"ratings.csv is not in its publisher's form"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("name", "profiles", "items", "ratings"),
    [("ml-1m", 6040, 3706, 1_000_209), ("gowalla", 29_858, 40_981, 1_027_370)],
)
def test_the_real_ones_have_their_published_sizes(name, profiles, items, ratings):
    if not (DATA / name).is_dir():
        pytest.skip(f"{DATA / name} is not there: fetch {name} to check its size")
    found = load_ratings(name, DATA, fetch=False)
    sizes = (len(np.unique(found.profiles)), len(np.unique(found.items)), len(found.items))
    assert sizes == (profiles, items, ratings)
