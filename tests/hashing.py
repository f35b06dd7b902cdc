"""Passwords hashed as Marquee hashes them, in one round instead of a million."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class OneRound(PBKDF2PasswordHasher):
    """No test is about how slow a hash is. Any server of ours can check these, too."""

    iterations = 1
