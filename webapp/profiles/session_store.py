"""Django's database sessions, read with their account and profile: one query instead of three."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.utils import timezone

from webapp.profiles.models import Profile, Session
from webapp.queries import Query

PROFILE_KEY = "profile_id"
"""Where the session keeps the chosen profile."""
ACCOUNT_FIELDS = [field.attname for field in User._meta.concrete_fields]
PROFILE_FIELDS = [field.attname for field in Profile._meta.concrete_fields]


@dataclass(frozen=True)
class SessionViewer:
    """Who a session belongs to, as the query that read the session found them.

    Attributes:
        account: None where it is gone, or nobody logged in.
        profile: the chosen one; None where none is chosen, it is gone, or another account's.
        evidence_version: of the profile; None where nothing of its evidence ever changed.
    """

    account: User | None = None
    profile: Profile | None = None
    evidence_version: int | None = None


class SessionStore(DatabaseSessionStore):
    """The engine named by `SESSION_ENGINE`."""

    viewer = SessionViewer()

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Return the row to save, with what the data name beside them."""
        session = cast(Session, super().create_model_instance(data))
        account_id, profile_id = data.get(SESSION_KEY), data.get(PROFILE_KEY)
        session.account_id = None if account_id is None else int(account_id)
        session.profile_id = profile_id
        return session

    def _get_session_from_db(self) -> Session | None:
        """Return the session's row, and keep whom it belongs to. One query."""
        rows = _SESSION.rows(key=self.session_key, now=timezone.now())
        if not rows:
            self._session_key = None
            return None
        data, expire_date, version, *columns = rows[0]
        account, profile = columns[: len(ACCOUNT_FIELDS)], columns[len(ACCOUNT_FIELDS) :]
        self.viewer = SessionViewer(
            None if account[0] is None else User.from_db("default", ACCOUNT_FIELDS, account),
            None if profile[0] is None else Profile.from_db("default", PROFILE_FIELDS, profile),
            version,
        )
        return Session(
            session_key=str(self.session_key), session_data=data, expire_date=expire_date
        )


_SESSION = Query(Path(__file__).parent / "sql" / "session.sql")
