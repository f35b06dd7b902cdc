"""A filled site, an empty database beside it, and a way to be a process of another site."""

import uuid
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from webapp.backups.errors import BackupError
from webapp.backups.programs import find_program, server_version
from webapp.engine import responses
from webapp.engine.polling import poller
from webapp.events.ingest import EventDraft, record_events
from webapp.events.visits import current_visit
from webapp.profiles.models import Rating
from webapp.slates.models import Slate


@pytest.fixture
def pg_dump(transactional_db):
    """Skip where there is no pg_dump of the server's version."""
    try:
        find_program("pg_restore", server_version())
        return find_program("pg_dump", server_version())
    except BackupError as error:
        pytest.skip(str(error))


@pytest.fixture
def shown(transactional_db, visit_release, cast, films, now):
    """Slates of several surfaces, by a release that reads visits."""
    for film, stars in ((films[0], 5), (films[1], 4), (films[25], 1.5)):
        Rating.objects.create(profile=cast.owner, title=film, stars=stars, rated_at=now)
    slates = []
    for profile in (cast.owner, None):
        visit = current_visit(None, profile, now)
        for kind, film in (("open", films[40]), ("play", films[41])):
            assert not record_events(visit, [EventDraft(uuid4(), kind, film.pk, now)], now).errors
        pages: list[Any] = [
            responses.home(visit, now),
            responses.title_page(visit, films[7], now),
            responses.search(visit, "number", now),
        ]
        slates += [Slate.objects.get(pk=page.slate_id) for page in pages]
    assert all(slate.rows and slate.release == visit_release for slate in slates)
    return slates


@pytest.fixture
def empty_database(transactional_db):
    """The name of a database that holds nothing, on the server of the tests."""
    name = f"{connection.settings_dict['NAME']}_{uuid.uuid4().hex[:8]}"
    parameters = connection.get_connection_params()
    address = {
        key: parameters[key] for key in ("host", "port", "user", "password") if key in parameters
    }
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as server:
        identifier = psycopg.sql.Identifier(name)
        server.execute(psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(identifier))
        yield name
        server.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


@pytest.fixture
def another_site(settings):
    """A context: to be a process of a site with this database and home while it lasts."""

    def move(name, folder):
        connection.close()
        connection.settings_dict["NAME"], settings.MARQUEE_HOME = name, folder
        poller.forget()

    @contextmanager
    def another_site(database, home):
        before = connection.settings_dict["NAME"], settings.MARQUEE_HOME
        move(database, home)
        try:
            yield
        finally:
            move(*before)

    return another_site
