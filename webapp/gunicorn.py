"""gunicorn configuration: processes for parallel work, threads for waiting."""

import os

from django.conf import settings
from django.utils.module_loading import import_string
from gunicorn.http import message
from gunicorn.workers.base import Worker

from webapp.threads import bound_thread_pools

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
os.environ["MARQUEE_PROCESS"] = "web"

bound_thread_pools()

workers: int = settings.WEB_PROCESSES
threads: int = settings.WEB_THREADS
worker_class = "gthread"
timeout = 60
graceful_timeout = 10
keepalive = 5
# A search of 10,000 characters is refused with our own message, so its line must be read.
limit_request_line = 128 * 1024
message.MAX_REQUEST_LINE = limit_request_line  # type: ignore[misc]  # it caps the setting
accesslog = "-"
# The path alone: a query holds what was searched for, and "forget this search" reaches no log.
access_log_format = '%(h)s "%(m)s %(U)s %(H)s" %(s)s %(b)s %(M)sms'


def post_worker_init(worker: Worker) -> None:
    """Load the live release in each process, after the fork, before the first request.

    By name, since Django is not set up yet where this file is read.
    """
    import_string("webapp.engine.polling.poller").start()
