from django.apps import AppConfig

from webapp.celery import app

__all__ = ["app"]


class JobsConfig(AppConfig):
    """Importing the Celery app here makes it the one that every process sends tasks with."""

    name = "webapp.jobs"
