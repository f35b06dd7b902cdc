"""The Celery app. Tasks live in webapp.jobs.tasks, their times in settings."""

import os

from celery import Celery

from webapp.threads import bound_thread_pools

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
bound_thread_pools()

app = Celery("marquee")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["webapp.jobs"])
