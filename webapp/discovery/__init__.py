"""Deciding what to show: questions, answers and their snapshots. Plain Python, without Django."""
