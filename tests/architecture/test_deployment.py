"""The production settings pass Django's own deployment checks, and refuse invalid values."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "MARQUEE_SECRET_KEY": "5wPq9!-" * 10 + "abcdefghij",
    "MARQUEE_ALLOWED_HOSTS": "films.example.org",
    "MARQUEE_PROXIES": "1",
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


def test_tls_without_a_counted_proxy_is_warned_of():
    result = manage("check", MARQUEE_PROXIES="0")
    assert result.returncode == 0
    assert "marquee.W001" in result.stderr
    assert "Set MARQUEE_PROXIES to how many" in result.stderr


@pytest.mark.parametrize(
    "changes",
    [
        {"MARQUEE_PROXIES": "1"},
        {"MARQUEE_PROXIES": "0", "MARQUEE_SECURE": "0"},
        {"MARQUEE_PROXIES": "0", "MARQUEE_SILENCED_CHECKS": "marquee.W001"},
    ],
)
def test_it_is_not_where_there_is_nothing_to_warn_of(changes):
    result = manage("check", "--fail-level", "WARNING", **changes)
    assert result.returncode == 0, result.stderr


WRONG = [
    {
        "MARQUEE_SECRET_KEY": "short",
        "MARQUEE_DEBUG": "perhaps",
        "DATABASE_URL": "sqlite:///films.db",
        "MARQUEE_VISIT_GAP_SECONDS": "half an hour",
        "MARQUEE_ROW_SIZE": "3",
        "MARQUEE_MEDIA_SOURCES": "https:,ftp:",
        "MARQUEE_METRICS_TOKEN": "short",
        "MARQUEE_LOG_LEVEL": "LOUD",
        "MARQUEE_WEB_PROCESSES": "many",
    },
    {
        "MARQUEE_SECRET_KEY": "",
        "DATABASE_URL": "mysql://ana:hush@host/films",
        "MARQUEE_VISIT_GAP_SECONDS": "1",
    },
    {"MARQUEE_WEB_THREADS": "0"},
]
"""By start, every value wrong."""


@pytest.mark.parametrize("wrong", WRONG)
def test_every_wrong_variable_is_named_in_one_start(wrong):
    result = manage("check", **wrong)
    assert result.returncode != 0
    message = result.stderr.splitlines()[-1]
    assert sorted(re.findall(r"[:;] ([A-Z_]+):", message)) == sorted(wrong)
    assert "docs/operations.md" in message
    assert "hush" not in result.stderr


def test_gunicorn_names_them_before_it_starts_a_process():
    command = [sys.executable, "-m", "gunicorn", "webapp.wsgi", "-c", "webapp/gunicorn.py"]
    result = subprocess.run(
        command, cwd=ROOT, env=GOOD | WRONG[0], capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert result.returncode == 1
    assert all(name in result.stderr.splitlines()[-1] for name in WRONG[0])


def test_debugging_needs_no_secret_key():
    assert manage("check", MARQUEE_SECRET_KEY="", MARQUEE_DEBUG="1").returncode == 0
