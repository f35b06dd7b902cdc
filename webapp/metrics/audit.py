"""The audit log: an operator's views and changes in, `AuditEntry` rows out."""

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from webapp.metrics.models import AuditEntry


def record_act(
    operator: AbstractBaseUser | AnonymousUser, act: AuditEntry.Act, what: str, now: datetime
) -> None:
    """Keep it. One query."""
    AuditEntry.objects.create(
        at=now,
        operator_id=operator.pk,
        operator_name=operator.get_username()[:150],
        act=act,
        what=what[:200],
    )
