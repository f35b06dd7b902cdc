"""Dockerfile, compose.yaml, deploy/kubernetes: settings there are, commands there are, no root."""

import re
from pathlib import Path

import pytest
import yaml

from webapp.settings import CELERY_TASK_QUEUES

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = [service for service in COMPOSE["services"].values() if service["image"] == "marquee"]
MANIFESTS = [
    manifest
    for file in sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
    for manifest in yaml.safe_load_all(file.read_text())
    if manifest["kind"] != "Kustomization"
]
PODS = [m["spec"]["template"]["spec"] for m in MANIFESTS if m["kind"] in ("Deployment", "Job")]
NOT_OURS = {"AWS_REGION", "OMP_WAIT_POLICY"}
SCRATCH = "/tmp"  # noqa: S108  a folder of the container's own
BEGINNINGS = (["celery", "-A", "webapp.celery:app"], ["python3", "manage.py", "migrate"])


def test_they_set_what_the_settings_read():
    read = set(re.findall(r'"([A-Z_]+)"', (ROOT / "webapp" / "settings.py").read_text()))
    named = {name for service in OURS for name in service["environment"]}
    named |= {entry["name"] for pod in PODS for entry in pod["containers"][0].get("env", [])}
    [config] = [manifest for manifest in MANIFESTS if manifest["kind"] == "ConfigMap"]
    assert (named | set(config["data"])) - NOT_OURS <= read


@pytest.mark.parametrize(
    "containers", [OURS, [pod["containers"][0] for pod in PODS]], ids=["compose", "kubernetes"]
)
def test_they_start_what_there_is_and_take_every_queue(containers):
    commands = [container["command"] for container in containers if "command" in container]
    assert all(command[:3] in BEGINNINGS for command in commands)
    taken = [part for command in commands for part in command if part.startswith("--queues=")]
    assert sorted(taken) == sorted(f"--queues={queue.name}" for queue in CELERY_TASK_QUEUES)


def test_no_container_is_root_or_writes_beyond_its_volumes():
    for pod in PODS:
        [container] = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounts == {"/var/lib/marquee", SCRATCH}
    for service in OURS:
        assert service["read_only"]
        assert service["tmpfs"] == [SCRATCH]
    assert "USER 10001" in (ROOT / "Dockerfile").read_text()


def test_kubernetes_takes_the_manifests():
    kubernetes_validate = pytest.importorskip(
        "kubernetes_validate", reason="needs `pip install kubernetes-validate==1.37.0` (22 MB)"
    )
    for manifest in MANIFESTS:
        assert kubernetes_validate.validate(manifest, "1.37", strict=True) == "1.37"
