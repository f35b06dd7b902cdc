"""Folders in a bucket: whole or not there, fetched once, checked, and gone when deleted."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from recommender.errors import ArtifactError
from webapp.artifacts.bucket import bucket_store
from webapp.artifacts.store import HomeStore, StoreError, artifact_store
from webapp.engine import catalogue_index, live
from webapp.releases.models import Release, TrainingRun
from webapp.releases.retention import prune_artifacts
from webapp.training import runs

NAME = "artifacts/run-7"
FILES = {"ials/manifest.json": b"{}", "ials/arrays": b"numbers" * 1000, "empty": b""}


@pytest.fixture
def host(bucket, tmp_path):
    """Makes stores of hosts with homes of their own."""

    def make(name, most_bytes=10**9):
        return bucket_store(bucket.url, tmp_path / name, most_bytes)

    return make


def write(home, name=NAME, files=FILES):
    for file, content in files.items():
        path = home / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def read(folder):
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_another_host_fetches_what_one_has_put_and_once(host, bucket, tmp_path):
    write(tmp_path / "worker")
    host("worker").put(NAME)
    web = host("web")
    assert read(web.fetch(NAME)) == FILES
    assert len(bucket.downloads) == len(FILES) + 1
    assert read(web.fetch(NAME)) == FILES
    assert len(bucket.downloads) == len(FILES) + 1
    assert host("worker").fetch(NAME) == tmp_path / "worker" / NAME
    assert web.names("artifacts") == host("worker").names("artifacts") == [NAME]


def test_a_folder_that_was_put_in_part_is_not_there(host, bucket, tmp_path):
    write(tmp_path / "worker")
    bucket.answers_left = 2
    with pytest.raises(StoreError, match="cannot be put"):
        host("worker").put(NAME)
    bucket.answers_left = None
    web = host("web")
    assert web.names("artifacts") == []
    assert web.names("artifacts", with_unfinished=True) == [NAME]
    with pytest.raises(ArtifactError, match="no such file"):
        web.fetch(NAME)
    host("worker").put(NAME)
    assert read(web.fetch(NAME)) == FILES


def test_a_download_that_breaks_off_leaves_nothing_and_is_tried_again(host, bucket, tmp_path):
    write(tmp_path / "worker")
    host("worker").put(NAME)
    web = host("web")
    bucket.answers_left = 2
    with pytest.raises(StoreError, match="cannot be fetched"):
        web.fetch(NAME)
    assert [path.name for path in (tmp_path / "web" / "downloaded").iterdir()] == [".lock"]
    bucket.answers_left = None
    assert read(web.fetch(NAME)) == FILES


def test_a_file_that_changed_in_the_bucket_is_refused(host, bucket, tmp_path):
    write(tmp_path / "worker")
    host("worker").put(NAME)
    bucket.s3.put_object(Key=f"marquee/{NAME}/ials/arrays", Body=b"other numbers")
    with pytest.raises(ArtifactError, match="not what was put there"):
        host("web").fetch(NAME)


@pytest.mark.parametrize(
    "listed", [b"[]", b"\xff", b'{"sha256": 3}', b'{"sha256": {"../../x": "a"}}']
)
def test_a_list_that_is_none_is_refused(host, bucket, listed):
    bucket.s3.put_object(Key=f"marquee/{NAME}.json", Body=listed)
    with pytest.raises(ArtifactError):
        host("web").fetch(NAME)


def test_copies_used_longest_ago_give_way(host, tmp_path):
    worker, web = host("worker"), host("web", most_bytes=16_000)
    names = [f"artifacts/run-{n}" for n in range(3)]
    for name in names:
        write(tmp_path / "worker", name)
        worker.put(name)
    web.fetch(names[0])
    web.fetch(names[1])
    web.fetch(names[0])
    web.fetch(names[2])
    left = {path.name for path in (tmp_path / "web" / "downloaded").glob("artifacts*")}
    assert left == {"artifacts--run-0", "artifacts--run-2"}


def test_what_is_deleted_is_gone_everywhere(host, bucket, tmp_path):
    write(tmp_path / "worker")
    write(tmp_path / "worker", "artifacts/run-77")
    worker = host("worker")
    worker.put(NAME)
    worker.put("artifacts/run-77")
    worker.delete(NAME)
    worker.delete(NAME)
    assert not (tmp_path / "worker" / NAME).exists()
    assert host("web").names("artifacts", with_unfinished=True) == ["artifacts/run-77"]
    with pytest.raises(ArtifactError):
        host("web").fetch(NAME)
    assert read(host("web").fetch("artifacts/run-77")) == FILES


def test_without_a_bucket_folders_lie_below_the_home(settings, tmp_path):
    store = artifact_store()
    assert isinstance(store, HomeStore)
    write(settings.MARQUEE_HOME)
    store.put(NAME)
    assert store.fetch(NAME) == settings.MARQUEE_HOME / NAME
    assert store.names("artifacts") == [NAME]


def test_an_address_that_is_none_is_refused(settings):
    settings.ARTIFACT_STORE = "s3://"
    with pytest.raises(ImproperlyConfigured, match="MARQUEE_ARTIFACT_STORE cannot be s3://"):
        artifact_store()


class TestSite:
    """A site whose hosts have homes of their own."""

    pytestmark = pytest.mark.django_db

    @pytest.fixture
    def elsewhere(self, release, bucket, settings, tmp_path):
        """The release and the index are in the bucket, and this is a host that has neither."""
        artifact_store().put(release.folder)
        assert catalogue_index.publish_index()
        settings.MARQUEE_HOME = tmp_path / "elsewhere"
        return release

    def test_a_host_with_another_home_serves_the_same_release(self, release, elsewhere, settings):
        state = live.load_live(None)
        assert state.release_id == release.pk
        assert state.recommender is not None
        assert state.index is not None
        copies = {path.name for path in (settings.MARQUEE_HOME / "downloaded").iterdir()}
        assert any(name.startswith("artifacts--catalogue") for name in copies)

    def test_a_host_without_the_index_loads_the_release(self, release, elsewhere, settings):
        for name in catalogue_index._newest():
            artifact_store().delete(name)
        assert live.load_live(None).release_id == release.pk

    def test_a_training_puts_what_it_wrote(self, release, bucket, monkeypatch, trained_once):
        monkeypatch.setattr(runs, "train_release", trained_once.train_release)
        ended = runs.run_training(runs.queue_training(lambda run_id: None).pk)
        assert ended.status == "succeeded", ended.error
        files = [item.key for item in bucket.s3.objects.all()]
        assert f"marquee/artifacts/run-{ended.pk}.json" in files

    def test_a_store_that_fails_ends_a_training_and_the_live_release_goes_on(
        self, release, bucket, monkeypatch, trained_once
    ):
        monkeypatch.setattr(runs, "train_release", trained_once.train_release)
        bucket.answers_left = 3
        ended = runs.run_training(runs.queue_training(lambda run_id: None).pk)
        assert ended.status == "failed"
        assert "cannot be put into the store" in ended.error
        assert Release.objects.get(is_live=True) == release

    def test_a_release_that_the_store_does_not_give_is_tried_again(
        self, release, elsewhere, bucket, settings, monkeypatch
    ):
        before = live.load_live(None)
        run = TrainingRun.objects.create(status="succeeded")
        other = Release.objects.create(run=run, folder=run.folder)
        write(settings.MARQUEE_HOME, other.folder, read(release.fetch()))
        artifact_store().put(other.folder)
        settings.MARQUEE_HOME = settings.MARQUEE_HOME / "another"
        Release.objects.filter(pk=release.pk).update(is_live=False)
        Release.objects.filter(pk=other.pk).update(is_live=True)
        bucket.answers_left = 0
        with pytest.raises(StoreError):
            live.load_live(before)
        bucket.answers_left = None
        assert live.load_live(before).release_id == other.pk

    def test_pruning_empties_the_bucket_too(self, bucket, settings):
        settings.KEPT_RELEASES = 1
        store = artifact_store()
        made = [TrainingRun.objects.create(status="succeeded") for _ in range(3)]
        failed = TrainingRun.objects.create(status="failed")
        for run in made:
            write(settings.MARQUEE_HOME, run.folder)
            store.put(run.folder)
            Release.objects.create(run=run, folder=run.folder)
        bucket.s3.put_object(Key=f"marquee/{failed.folder}/ials/arrays", Body=b"in part")
        assert prune_artifacts() == 3
        assert store.names("artifacts", with_unfinished=True) == [made[-1].folder]
