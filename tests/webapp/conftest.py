"""An S3 bucket on this machine, for what hosts share."""

import threading
from collections.abc import Iterator

import boto3
import pytest
from moto.moto_server import werkzeug_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from webapp.artifacts import store

BUCKET = "films"


class Bucket:
    """An S3 server of our own, which can be told to fail."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers_left: int | None = None
        """So many requests are answered, all others with 500; None: all are."""
        self.asked: list[str] = []

    @property
    def downloads(self) -> list[str]:
        return [line for line in self.asked if line.startswith("GET") and "list-type" not in line]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Bucket]]:
    moto = werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)
    bucket = Bucket(f"s3://{BUCKET}/marquee")

    def answer(environ, start_response):
        asked = Request(environ)
        bucket.asked.append(f"{asked.method} {asked.path}?{asked.query_string.decode()}")
        if bucket.answers_left is not None:
            bucket.answers_left -= 1
            if bucket.answers_left < 0:
                return Response(status=500)(environ, start_response)
        return moto(environ, start_response)

    http = make_server("127.0.0.1", 0, answer, threaded=True)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.port}", bucket
    http.shutdown()
    thread.join()


@pytest.fixture
def bucket(server, monkeypatch, settings):
    """The bucket, empty, and named by the settings."""
    address, bucket = server
    bucket.answers_left = None
    names = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}
    for name, value in {**names, "AWS_ENDPOINT_URL": address}.items():
        monkeypatch.setenv(name, value)
    s3 = boto3.resource("s3", endpoint_url=address, region_name="us-east-1").Bucket(BUCKET)
    s3.create()
    settings.ARTIFACT_STORE = bucket.url
    store._store.cache_clear()
    bucket.s3 = s3
    bucket.asked.clear()
    yield bucket
    bucket.answers_left = None
    s3.objects.all().delete()
    store._store.cache_clear()
