"""The manifest of one pod that runs everything: Kubernetes knows its fields, Snakemake takes its command."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import executor_plugins
import pytest
import yaml
from checkout import new_checkout

from editions import ROOT

pytestmark = pytest.mark.slow

JOB = yaml.safe_load((ROOT / "profiles/kubernetes/job.yaml").read_text(encoding="utf-8"))


def unknown_fields(models, kind, value, where=""):
    """What of a manifest's value the client's model of its kind does not know."""
    if kind.startswith(("list[", "dict(")):
        inner = re.search(r"[\[ ](\w+)[\])]$", kind)[1]
        parts = enumerate(value) if kind.startswith("list[") else value.items()
        return [found for key, one in parts for found in unknown_fields(models, inner, one, f"{where}/{key}")]
    model = getattr(models, kind, None)
    if model is None:
        return (
            [] if isinstance(value, {"str": str, "int": int, "bool": bool}.get(kind, object)) else [f"{where}: {kind}"]
        )
    kinds = {model.attribute_map[name]: kind for name, kind in model.openapi_types.items()}
    wrong = [f"{where}/{key}" for key in value if key not in kinds]
    return wrong + [
        found
        for key in value
        if key in kinds
        for found in unknown_fields(models, kinds[key], value[key], f"{where}/{key}")
    ]


def test_kubernetes_knows_the_job(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(executor_plugins.install(tmp_path))
    models = pytest.importorskip("kubernetes.client.models")
    assert unknown_fields(models, "V1Job", JOB) == []
    misspelt = JOB | {"spec": {"template": {"spec": {"container": []}}, "backoffLimit": "4"}}
    assert unknown_fields(models, "V1Job", misspelt) == ["/spec/template/spec/container", "/spec/backoffLimit: int"]


def test_the_checkout_is_made_once_and_whole(tmp_path):
    (first,) = JOB["spec"]["template"]["spec"]["initContainers"]
    *shell, line = first["command"]
    address = re.search(r"https\S+", line)[0]
    # What a clone that was cut short leaves.
    (tmp_path / "cloning/.git").mkdir(parents=True)
    for _ in range(2):
        subprocess.run([*shell, line.replace(address, str(ROOT))], cwd=tmp_path, check=True, capture_output=True)
        assert [path.name for path in tmp_path.iterdir()] == ["checkout"]
        assert (tmp_path / "checkout/Snakefile").is_file()


def test_snakemake_takes_the_command(tmp_path):
    (container,) = JOB["spec"]["template"]["spec"]["containers"]
    *shell, line = container["command"]
    limits = container["resources"]["limits"]
    assert f"--cores {limits['cpu']} " in line and f"--resources gpu={limits['nvidia.com/gpu']} " in line
    here = new_checkout(tmp_path / "lossproof")
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    # One exhibit stands for all of the edition, whose plan takes longer.
    command = [*shell, f"{line.replace(' all ', ' sp_fig_3 ')} --dry-run"]
    done = subprocess.run(command, cwd=here.folder, env=here.environment(PATH=path), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.search(r"^sp_fig_3 +1$", done.stdout, re.MULTILINE)
    assert "profiles/gpu" in done.stderr
