"""What the structure promises and imports alone cannot show."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from tests.architecture.forbidden import breaches
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
    assert "apprise" not in loaded, "40 MB that workers need alone"


def test_the_recommender_is_no_django_app():
    assert not {"recommender", "search"} & set(settings.INSTALLED_APPS)


@pytest.mark.parametrize("package", ["webapp", "recommender", "search"])
def test_top_level_packages_hold_a_docstring_only(package):
    text = (ROOT / package / "__init__.py").read_text()
    assert re.fullmatch(r'""".*?"""\s*', text, re.DOTALL)


OURS = ("webapp", "recommender", "search", "script", "benchmarks")


def sources():
    """Our Python files: those of script without an ending say by their first line what they are."""
    for package in OURS:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix == ".py" or (
                path.is_file() and not path.suffix and "python" in path.read_text().split("\n")[0]
            ):
                yield path


def test_what_is_never_written():
    read = {str(path.relative_to(ROOT)): breaches(path.read_text()) for path in sources()}
    assert {"recommender/artifacts.py", "script/check", "script/embedded.py"} <= read.keys()
    assert {name: found for name, found in read.items() if found} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "import pickle as safe",
        "from pickle import loads",
        "if True:\n    import dill",
        "import os, joblib.memory",
        "import marshal",
        "from shelve import open",
        "__import__('pickle')",
        "import importlib\nimportlib.import_module('cloudpickle')",
        "import torch\ntorch.load(path)",
        "import torch\ntorch.load(path, weights_only=False)",
        "import torch as t\nt.load(path, weights_only=trusted)",
        "from torch import load as read\nread(path)",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "import numpy as np\nnp.load(path, None, True)",
        "from numpy.lib.format import read_array\nread_array(file, allow_pickle=trusted)",
        "Title.objects.filter(pk=1).extra(where=[words])",
        "import subprocess\nsubprocess.run(words, shell=True)",
        "import subprocess as s\ns.getoutput(words)",
        "from os import system\nsystem(words)",
        "eval(words)",
        "lambda words: exec(words)",
        "import builtins\nbuiltins.eval(words)",
    ],
)
def test_each_forbidden_line_is_seen(line):
    assert len(breaches(line)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "'no pickle, no eval(), no shell=True'",
        "import torch\ntorch.load(path, weights_only=True)",
        "import numpy as np\nnp.load(path, allow_pickle=False)",
        "import numpy as np\nnp.load(path, 'r')",
        "import json\njson.load(file)",
        "model.eval()",
        "logger.info(words, extra={})",
        "import subprocess\nsubprocess.run([name], shell=False)",
        "import importlib\nimportlib.import_module('recommender.artifacts')",
    ],
)
def test_what_only_looks_like_it_is_not(line):
    assert breaches(line) == []


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


MOST_LINES = 60


def functions(path):
    """Each function of a file with its number of lines, its decorators left out."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("package", ["webapp", "recommender", "search", "benchmarks"])
def test_a_function_is_read_at_a_glance(package):
    paths = sorted((ROOT / package).rglob("*.py"))
    long = [
        f"{path.relative_to(ROOT)}: {name} has {lines} lines"
        for path in paths
        for name, lines in functions(path)
        if lines >= MOST_LINES
    ]
    assert paths
    assert long == []
