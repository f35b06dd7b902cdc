"""The Celery app. Tasks live in webapp.jobs.tasks, their times in settings."""

import logging
import os

from celery import Celery
from kombu.exceptions import OperationalError

from webapp.threads import bound_thread_pools

logger = logging.getLogger(__name__)

INDEX_TASK = "webapp.jobs.tasks.build_catalogue_index"

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
bound_thread_pools()

app = Celery("marquee")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["webapp.jobs"])


def ask_for_index(expires: float | None = None) -> bool:
    """Ask the worker for an index of the catalogue; return whether the broker took the message.

    Args:
        expires: seconds after which a message that was not read is dropped; None keeps it.
    """
    try:
        app.send_task(INDEX_TASK, expires=expires, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("no worker can be asked for the catalogue's index: %s", error)
        return False
    return True
