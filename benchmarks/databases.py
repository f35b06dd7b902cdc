"""Databases of a benchmark's own on the server of DATABASE_URL, dropped at the end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


@contextmanager
def database(name: str) -> Iterator[str]:
    """Make an empty database, yield its address, and drop it."""
    server = os.environ.get("DATABASE_URL", "postgres://localhost/postgres")
    server = urlunsplit(urlsplit(server)._replace(path="/postgres"))
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    with psycopg.connect(server.replace("postgres://", "postgresql://", 1), autocommit=True) as at:
        at.execute(drop)
        at.execute(create)
        try:
            yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        finally:
            at.execute(drop)
