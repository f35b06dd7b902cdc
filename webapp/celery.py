"""The Celery app. Tasks live in webapp.jobs.tasks, their times in settings."""

import logging
import os

from celery import Celery
from kombu.exceptions import OperationalError

from webapp.threads import bound_thread_pools

logger = logging.getLogger(__name__)

INDEX_TASK = "webapp.jobs.tasks.build_catalogue_index"
TEST_ALERT_TASK = "webapp.jobs.tasks.send_test_alert"
TEST_ALERT_EXPIRES_SECONDS = 300.0
"""After these a test that no worker has sent is dropped: its operator no longer waits for it."""

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
    return _send(INDEX_TASK, expires)


def ask_for_test_alert(operator: str) -> bool:
    """Ask the worker to send every destination a test; return whether the broker took it.

    Args:
        operator: whose name the alert bears.
    """
    return _send(TEST_ALERT_TASK, TEST_ALERT_EXPIRES_SECONDS, operator)


def _send(task: str, expires: float | None, *arguments: str) -> bool:
    try:
        app.send_task(task, args=arguments, expires=expires, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("no worker can be asked for %s: %s", task, error)
        return False
    return True
