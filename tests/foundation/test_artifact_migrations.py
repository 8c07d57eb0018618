"""Artifacts of older formats are read as if they had been written today."""

import hashlib
import json

import pytest

from pomona.foundation.artifact import FORMAT_VERSION, MIGRATIONS, read_artifact
from pomona.foundation.artifact.migrations import migrate
from pomona.foundation.errors import ArtifactError

WEIGHTS = b"w" * 100


@pytest.fixture
def format_1(tmp_path):
    """A folder as format 1 wrote it, byte for byte."""
    files = {
        "weights.safetensors": WEIGHTS,
        "metrics.json": b'{"test": {"accuracy": 0.97}}\n',
        "card.md": b"# Irises\n",
    }
    plain = {
        "format_version": 1,
        "pomona": "0.0.1",
        "kind": "network",
        "created": "2025-01-01T00:00:00+00:00",
        "task": {"name": "iris", "kind": "classify"},
        "inputs": [{"name": "row", "kind": "vector", "shape": [4]}],
        "targets": [{"name": "species", "kind": "category", "shape": [], "classes": ["a", "b"]}],
        "preprocessing": {"steps": []},
        "calibration": {},
        "spec": {"inputs": {}, "blocks": [], "outputs": {}},
        "children": [],
        "manifest": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "artifact.json").write_text(json.dumps(plain))
    return tmp_path


def test_format_1_is_read(format_1):
    artifact = read_artifact(format_1)
    assert (artifact.task_name, artifact.task_kind) == ("iris", "classify")
    assert artifact.inputs == {"row": {"name": "row", "kind": "vector", "shape": [4]}}
    assert artifact.targets["species"]["classes"] == ["a", "b"]
    assert artifact.metrics == {"test": {"accuracy": 0.97}}
    assert artifact.card == "# Irises\n"
    assert artifact.settings == {}
    assert artifact.blocks_sha256 is None


def test_format_1_is_checked_too(format_1):
    (format_1 / "weights.safetensors").write_bytes(WEIGHTS[:-1])
    with pytest.raises(ArtifactError, match="SHA-256 differs"):
        read_artifact(format_1)


def test_a_folder_that_only_says_format_1_is_refused(format_1):
    plain = json.loads((format_1 / "artifact.json").read_text())
    del plain["task"]
    (format_1 / "artifact.json").write_text(json.dumps(plain))
    with pytest.raises(ArtifactError, match="says format 1 but does not have its fields"):
        read_artifact(format_1)


def test_there_is_a_step_from_every_older_format():
    assert sorted(MIGRATIONS) == list(range(1, FORMAT_VERSION))


def test_steps_are_taken_in_order_and_leave_the_original_alone():
    steps = {n: lambda plain, n=n: {**plain, "steps": [*plain["steps"], n]} for n in (1, 2, 3)}
    original = {"format_version": 2, "steps": []}
    assert migrate(original, migrations=steps, wanted=4) == {"format_version": 4, "steps": [2, 3]}
    assert original == {"format_version": 2, "steps": []}


def test_a_format_without_a_step_is_refused():
    with pytest.raises(ArtifactError, match="format 1 of artifacts is no longer read"):
        migrate({"format_version": 1}, migrations={}, wanted=2)
