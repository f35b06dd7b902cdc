"""What the structure promises and imports alone cannot show."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from webapp.events.models import Event

ROOT = Path(__file__).resolve().parents[2]


def loaded_by(statement):
    """The names of all modules a fresh interpreter has after the statement."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


def test_search_loads_neither_torch_nor_django():
    assert not loaded_by("import search.engine") & {"torch", "django"}


def test_the_recommender_loads_no_web_framework():
    loaded = loaded_by("import recommender.serving.recommender, recommender.training.train")
    assert not loaded & {"django", "rest_framework", "celery"}


@pytest.mark.parametrize(("room", "module"), [("artwork", "posters"), ("discovery", "answer")])
def test_a_plain_room_of_webapp_loads_no_web_framework(room, module):
    folder = ROOT / "webapp" / room
    modules = [f"webapp.{room}.{path.stem}" for path in sorted(folder.glob("[!_]*.py"))]
    loaded = loaded_by(f"import {', '.join(modules)}")
    assert f"webapp.{room}.{module}" in loaded
    assert not loaded & {"django", "rest_framework", "celery"}


def test_a_web_process_loads_neither_training_nor_evaluation():
    loaded = loaded_by(
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'webapp.settings'\n"
        "from webapp.wsgi import application; import webapp.urls, webapp.engine.live"
    )
    assert "recommender.serving.recommender" in loaded
    assert not {n for n in loaded if n.startswith(("recommender.training", "recommender.eval"))}


def test_the_recommender_is_no_django_app():
    assert not {"recommender", "search"} & set(settings.INSTALLED_APPS)


@pytest.mark.parametrize("package", ["webapp", "recommender", "search"])
def test_top_level_packages_hold_a_docstring_only(package):
    text = (ROOT / package / "__init__.py").read_text()
    assert re.fullmatch(r'""".*?"""\s*', text, re.DOTALL)


@pytest.mark.parametrize("word", [r"\bpickle\b", r"\.extra\(", r"shell=True"])
def test_what_is_never_written(word):
    found = [
        path.relative_to(ROOT)
        for package in ("webapp", "recommender", "search")
        for path in (ROOT / package).rglob("*.py")
        if re.search(rf"^[^#\"]*(import|=|\(|return).*{word}", path.read_text(), re.MULTILINE)
        and "no pickle" not in path.read_text()
    ]
    assert found == []


@pytest.mark.django_db
def test_the_migrations_are_complete():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.parametrize("kind", Event.Kind.values)
def test_every_event_kind_is_explained(kind):
    assert f"`{kind}`" in (ROOT / "docs" / "metrics.md").read_text()


def test_every_setting_is_explained():
    names = set(
        re.findall(
            r'"(MARQUEE_[A-Z_]+|DATABASE_URL|CELERY_BROKER_URL)"',
            (ROOT / "webapp" / "settings.py").read_text(),
        )
    )
    names |= set(re.findall(r'"(MARQUEE_[A-Z_]+)"', (ROOT / "webapp" / "gunicorn.py").read_text()))
    documented = (ROOT / "docs" / "operations.md").read_text()
    assert {name for name in names if f"`{name}`" not in documented} == set()


def test_every_task_is_explained():
    tasks = re.findall(
        r"@shared_task\ndef (\w+)", (ROOT / "webapp" / "jobs" / "tasks.py").read_text()
    )
    documented = (ROOT / "docs" / "operations.md").read_text()
    assert tasks
    assert {name for name in tasks if f"`{name}`" not in documented} == set()
