"""The visit a request belongs to: one sitting, ended by 30 idle minutes or another profile."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing

from webapp.catalog.models import UNRATED
from webapp.events.evidence_versions import EvidenceVersionRead
from webapp.profiles.models import Profile

COOKIE = "marquee_visit"
SALT = "marquee.visit"


@dataclass(frozen=True)
class CurrentVisit:
    """The visit of the request at hand; its row is written with the first slate or event."""

    id: uuid.UUID
    profile: Profile | None
    started_at: datetime
    previous_id: uuid.UUID | None = None
    """This browser's visit before, if the profile is the same: a page left open may name it."""
    device: str = ""
    """What the request came from: phone, computer, television, or empty for unknown."""
    is_bot: bool = False
    """Whether its User-Agent is a bot's."""
    is_unrecorded: bool = False
    """Whether nothing of it is written: a bot that belongs to nobody looks at a page."""
    is_simulated: bool = False
    experiment: str = ""
    """The experiment it takes part in, """
    arm: str = ""
    """in which arm, """
    treatment: str = ""
    """and what is done to it there."""
    version: EvidenceVersionRead | None = field(default=None, compare=False, repr=False)
    """Of the profile's evidence, as this request read it; None where nothing may be kept."""

    @property
    def profile_id(self) -> int | None:
        return self.profile.pk if self.profile else None

    @property
    def of_browser(self) -> list[uuid.UUID]:
        """The visits that an anonymous browser is remembered over: this one and the one before."""
        return [id_ for id_ in (self.id, self.previous_id) if id_]

    @property
    def columns(self) -> dict[str, Any]:
        """The values of the visit's row but for its id."""
        return {
            "profile_id": self.profile_id,
            "started_at": self.started_at,
            "is_bot": self.is_bot,
            "is_simulated": self.is_simulated,
            "experiment": self.experiment,
            "arm": self.arm,
        }

    @property
    def is_paused(self) -> bool:
        """Whether the profile wants nothing of this visit kept or used."""
        return self.profile is not None and self.profile.is_history_paused

    @property
    def is_personal(self) -> bool:
        """Whether taste may choose what is shown."""
        return self.profile is None or self.profile.is_personalized

    @property
    def maturity_limit(self) -> int | None:
        """The age up to which titles may be shown; None for all."""
        guests: int = settings.GUEST_MATURITY_LIMIT
        limit = self.profile.maturity_limit if self.profile else guests
        return None if limit is None or limit >= UNRATED else limit

    @property
    def hides_watched(self) -> bool:
        """Whether what was watched shall stand in no row."""
        return self.profile is not None and self.profile.hides_watched

    @property
    def switches(self) -> dict[str, bool]:
        """How the profile's switches stand, as slates keep it."""
        return {"is_paused": self.is_paused, "is_personal": self.is_personal}

    def in_arm(self, experiment: str, arm: str, treatment: str) -> "CurrentVisit":
        """Return the visit as it takes part in an experiment."""
        return replace(self, experiment=experiment, arm=arm, treatment=treatment)


def current_visit(cookie: str | None, profile: Profile | None, now: datetime) -> CurrentVisit:
    """Go on with the visit the cookie names, or start one.

    A new visit starts without a valid cookie, after a gap over `VISIT_GAP_SECONDS`, and when
    another profile (or nobody) watches now.
    """
    profile_id = profile.pk if profile else None
    content = _read(cookie)
    if content is None or content["profile"] != profile_id:
        return CurrentVisit(uuid.uuid4(), profile, now)
    id_ = uuid.UUID(content["visit"])
    gap = now - datetime.fromisoformat(content["seen_at"])
    if gap > timedelta(seconds=settings.VISIT_GAP_SECONDS):
        return CurrentVisit(uuid.uuid4(), profile, now, previous_id=id_)
    previous_id = uuid.UUID(content["previous"]) if content["previous"] else None
    return CurrentVisit(id_, profile, datetime.fromisoformat(content["started_at"]), previous_id)


def cookie_of(visit: CurrentVisit, now: datetime) -> str:
    """Return the signed cookie that lets the next request go on with this visit."""
    return signing.dumps(
        {
            "visit": str(visit.id),
            "profile": visit.profile_id,
            "previous": str(visit.previous_id) if visit.previous_id else None,
            "started_at": visit.started_at.isoformat(),
            "seen_at": now.isoformat(),
        },
        salt=SALT,
    )


def _read(cookie: str | None) -> dict[str, Any] | None:
    if not cookie:
        return None
    try:
        content: dict[str, Any] = signing.loads(cookie, salt=SALT)
    except signing.BadSignature:
        return None
    return content
