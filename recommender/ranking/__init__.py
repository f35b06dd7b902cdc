"""Ordering candidates, diversifying them and building the page."""
