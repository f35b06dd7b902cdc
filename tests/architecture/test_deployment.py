"""The production settings pass Django's own deployment checks, and refuse nonsense in words."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "MARQUEE_SECRET_KEY": "5wPq9!-" * 10 + "abcdefghij",
    "MARQUEE_ALLOWED_HOSTS": "films.example.org",
    "DATABASE_URL": os.environ.get("DATABASE_URL", "postgres://localhost/marquee"),
    "DJANGO_SETTINGS_MODULE": "webapp.settings",
    "PATH": os.environ["PATH"],
}


def manage(*arguments, **changes):
    environment = GOOD | changes
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_deployment_check_is_clean(tmp_path):
    result = manage("check", "--deploy", "--fail-level", "WARNING", MARQUEE_HOME=str(tmp_path))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MARQUEE_SECRET_KEY", "short"),
        ("MARQUEE_DEBUG", "perhaps"),
        ("MARQUEE_VISIT_GAP_SECONDS", "half an hour"),
        ("MARQUEE_VISIT_GAP_SECONDS", "1"),
        ("MARQUEE_ROW_SIZE", "3"),
        ("MARQUEE_LOG_LEVEL", "LOUD"),
        ("DATABASE_URL", "sqlite:///films.db"),
    ],
)
def test_nonsense_is_refused_by_name(name, value):
    result = manage("check", **{name: value})
    assert result.returncode != 0
    assert name in result.stderr.splitlines()[-1]
