"""Visits, events and slates: capture, ingest, history."""
