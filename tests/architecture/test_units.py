"""deploy/systemd and deploy/prometheus: units that systemd takes, rules over families there are."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from webapp.settings import CELERY_TASK_QUEUES

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="No systemd-analyze was found: `apt-get install systemd`.",
)
def test_systemd_takes_the_units(tmp_path):
    """But for programs and a user that are not on this machine, which are put in their place."""
    for unit in UNITS:
        text = unit.read_text()
        text = re.sub(r"(?m)^ExecStart=/srv/\S+", f"ExecStart={shutil.which('true')}", text)
        (tmp_path / unit.name).write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    ours = [line for line in verified.stderr.splitlines() if "marquee" in line]
    assert (verified.returncode, ours) == (0, []), verified.stderr


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_unit_comes_back_and_belongs_to_the_target(unit):
    text = unit.read_text()
    for line in ("Restart=always", "StartLimitIntervalSec=0", "PartOf=marquee.target"):
        assert f"\n{line}\n" in text
    assert unit.name in (ROOT / "deploy" / "systemd" / "marquee.target").read_text()
    if "celery" in text:
        assert "MARQUEE_PROCESS=worker" in text


def test_each_queue_has_a_worker():
    commands = "".join(unit.read_text() for unit in SERVICES)
    queues = set(re.findall(r"--queues=(\w+)", commands))
    assert queues == {queue.name for queue in CELERY_TASK_QUEUES}
    of_demo = (ROOT / "script" / "roles.py").read_text()
    assert set(re.findall(r"--queues=(\w+)", of_demo)) == queues


def test_rules_ask_for_families_that_there_are():
    rules = (ROOT / "deploy" / "prometheus" / "marquee.rules.yml").read_text()
    asked = {
        name
        for line in re.findall(r"expr: (.*)", rules)
        for name in re.findall(r"marquee_\w+", line)
    }
    source = (ROOT / "webapp" / "pages" / "prometheus.py").read_text()
    assert len(yaml.safe_load(rules)["groups"][0]["rules"]) == rules.count("- alert:")
    assert asked
    assert {name for name in asked if f'"{name}"' not in source} == set()
    assert rules.count("- alert:") == rules.count("expr:") == rules.count("summary:")
