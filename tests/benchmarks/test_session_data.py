"""The splits of the session benchmark, over tiny folders of our own making."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.session_data import diginetica, globo, ml_1m, ml_latest_small
from recommender.data.sessions import EventKind
from recommender.vocabulary import UNKNOWN

HOUR = 3600.0


def asked(task, requests):
    """Each request as what its viewer did before it, and what is wanted: outside ids."""
    sessions, ids = requests.sessions, np.append(task.items.ids, UNKNOWN)
    return [
        (ids[sessions.items[first:event]].tolist(), int(ids[sessions.items[event]]))
        for first, event in zip(requests.viewer_starts(), requests.events, strict=True)
    ]


def histories(task, sessions):
    return {
        int(viewer): task.items.ids[sessions.items[begin:end]].tolist()
        for viewer, begin, end in zip(
            sessions.viewers, sessions.bounds[:-1], sessions.bounds[1:], strict=True
        )
    }


def test_diginetica_asks_every_prefix_and_validates_on_the_last_tenth(tmp_path):
    folder = tmp_path / "diginetica"
    folder.mkdir()
    trained = [[n, n + 1, n + 2] for n in range(20)]
    pq.write_table(pa.table({"session": trained}), folder / "train_sessions.parquet")
    tests = pa.table({"prefix": [[3], [3, 4], [7, 8]], "label": [4, 9, 2]})
    pq.write_table(tests, folder / "test_prefixes.parquet")
    task = diginetica(tmp_path)
    assert asked(task, task.test) == [([3], 4), ([3, 4], 9), ([7, 8], 2)]
    assert list(histories(task, task.before_test).values()) == trained
    assert list(histories(task, task.before_validation).values()) == trained[:18]
    assert asked(task, task.validation) == [
        ([18], 19), ([18, 19], 20), ([19], 20), ([19, 20], 21)
    ]  # fmt: skip


def test_ml_1m_asks_for_the_last_of_each_among_people_and_films_with_five(tmp_path):
    folder = tmp_path / "ml-1m"
    folder.mkdir()
    liked = {person: [1, 2, 3, 4, 5] for person in range(1, 6)}
    liked[6] = [5, 4, 3, 2, 9]  # film 9 has one rating; without it person 6 has four
    lines = [
        f"{person}::{film}::4::{100 * person + n}"
        for person, films in liked.items()
        for n, film in enumerate(films)
    ]
    (folder / "ratings.dat").write_text("\n".join(reversed(lines)) + "\n")
    task = ml_1m(tmp_path)
    assert asked(task, task.test) == [([1, 2, 3, 4], 5)] * 5
    assert asked(task, task.validation) == [([1, 2, 3], 4)] * 5
    assert histories(task, task.before_test) == {p: [1, 2, 3, 4] for p in range(1, 6)}
    assert histories(task, task.before_validation) == {p: [1, 2, 3] for p in range(1, 6)}


CUT = datetime(2017, 10, 10, 15)
AT_CUT = CUT.replace(tzinfo=UTC).timestamp()


def test_globo_asks_returning_people_in_visits_that_start_after_the_cut(tmp_path):
    clicks = [
        # person, visit, article, hours from the cut
        (1, 10, 100, -9.0), (1, 10, 101, -8.9),
        (1, 11, 102, 0.5), (1, 11, 101, 0.6), (1, 11, 999, 0.7),  # asked but for its first click
        (2, 20, 101, 0.5), (2, 20, 100, 0.6),  # no earlier visit
        (3, 30, 100, -9.0), (3, 31, 101, -0.1), (3, 31, 102, 0.1),  # straddles the cut
        (4, 40, 102, -9.0), (4, 41, 100, -1.5), (4, 41, 101, -1.4),  # validates
        (5, 50, 102, -9.0), (5, 51, 100, 3.5), (5, 51, 101, 3.6),  # after the window
    ]  # fmt: skip
    person, visit, article, hours = (np.array(column) for column in zip(*clicks, strict=True))
    at = np.round((AT_CUT + hours * HOUR) * 1000).astype(np.int64)
    (tmp_path / "globo").mkdir()
    table = pa.table({
        "user_id": person, "session_id": visit, "click_article_id": article, "click_timestamp": at,
    })  # fmt: skip
    pq.write_table(table, tmp_path / "globo" / "clicks.parquet")
    task = globo(tmp_path, CUT, 2.0)
    assert asked(task, task.test) == [
        ([100, 101, 102], 101), ([100, 101, 102, 101], UNKNOWN)
    ]  # fmt: skip
    assert asked(task, task.validation) == [([102, 100], 101)]
    assert task.before_test.at.max() < AT_CUT
    assert task.before_validation.at.max() < AT_CUT - 2 * HOUR
    assert 999 not in task.items


def test_ml_latest_small_asks_what_was_liked_in_later_visits_of_the_same_people(tmp_path):
    folder = tmp_path / "ml-latest-small"
    folder.mkdir()
    day, lines = 24 * HOUR, ["userId,movieId,rating,timestamp"]
    for visit in range(10):  # each with a like, a dislike, a watch and a like, a minute apart
        for n, stars in enumerate((4.0, 2.0, 3.0, 5.0)):
            lines.append(f"1,{10 * visit + n},{stars},{int(1e9 + visit * day + 60 * n)}")
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n")
    task = ml_latest_small(tmp_path)
    whole = task.test.sessions
    assert whole.opens_visit.sum() == 10
    kinds = [EventKind.LIKE, EventKind.DISLIKE, EventKind.FINISH, EventKind.LIKE]
    assert whole.kinds.tolist() == kinds * 10
    wanted = {name: [w for _, w in asked(task, part)] for name, part in
              (("validation", task.validation), ("test", task.test))}  # fmt: skip
    assert wanted == {"validation": [82, 83], "test": [UNKNOWN, UNKNOWN]}
    for before, requests in (
        (task.before_validation, task.validation), (task.before_test, task.test)
    ):  # fmt: skip
        assert before.at.max() < requests.sessions.at[requests.events].min()
