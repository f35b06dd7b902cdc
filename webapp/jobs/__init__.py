"""Celery tasks, their schedule, and what they call."""
