"""How the web server runs: processes for parallel work, threads for waiting."""

import os

from django.utils.module_loading import import_string
from gunicorn.http import message
from gunicorn.workers.base import Worker

workers = int(os.environ.get("MARQUEE_WEB_PROCESSES", "2"))
threads = int(os.environ.get("MARQUEE_WEB_THREADS", "2"))
worker_class = "gthread"
timeout = 60
graceful_timeout = 10
keepalive = 5
# A search of 10,000 characters is refused in our own words, for which its line must come in.
limit_request_line = 128 * 1024
message.MAX_REQUEST_LINE = limit_request_line  # type: ignore[misc]  # it caps the setting
accesslog = "-"
access_log_format = '%(h)s "%(r)s" %(s)s %(b)s %(M)sms'


def post_worker_init(worker: Worker) -> None:
    """Load the live release in each process, after the fork, before the first request.

    By name, since Django is not set up yet where this file is read.
    """
    import_string("webapp.engine.live.holder").start()
