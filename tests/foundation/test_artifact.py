"""Artifacts: what was written is what is read, and nothing else is."""

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pomona.foundation.artifact import (
    FORMAT_VERSION,
    PREDICTORS,
    Artifact,
    add_sections,
    is_artifact,
    read_artifact,
    read_sections,
    write_artifact,
)
from pomona.foundation.artifact.format import checksum
from pomona.foundation.errors import ArtifactError, InputError

WEIGHTS = bytes(range(256)) * 8


def example(**changes) -> Artifact:
    artifact = Artifact(
        kind="network",
        task_name="digits",
        task_kind="classify",
        inputs={"image": {"name": "image", "kind": "image", "shape": [1, 8, 8]}},
        targets={"label": {"name": "label", "kind": "category", "shape": [], "classes": ["a", "é"]}},
        preprocessing={"steps": []},
        calibration={"temperature": 1.2345678901234567},
        spec={"inputs": {}, "blocks": [], "outputs": {}},
        settings={"batch": 64},
        card="# Digits\nétude",
        metrics={"test": {"accuracy": 0.991}},
        created="2026-01-01T00:00:00+00:00",
        pomona="0.1.0",
    )
    return dataclasses.replace(artifact, **changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_artifact(tmp_path / "model", example(), files={"weights.safetensors": WEIGHTS})


def edit(folder: Path, *, sign: bool = True, **changes) -> None:
    """Changes fields of artifact.json, with a right checksum unless `sign` is false."""
    path = folder / "artifact.json"
    plain = {**json.loads(path.read_text()), **changes}
    if sign:
        plain["checksum"] = checksum(plain)
    path.write_text(json.dumps(plain))


def test_what_is_read_is_what_was_written(folder):
    assert read_artifact(folder) == example()
    assert (folder / "weights.safetensors").read_bytes() == WEIGHTS
    assert [p.name for p in folder.parent.iterdir()] == ["model"]


def test_time_and_version_are_filled_in_when_they_are_not_given(tmp_path):
    artifact = read_artifact(write_artifact(tmp_path / "m", example(created="", pomona="")))
    assert artifact.created.endswith("+00:00")
    assert artifact.pomona


def test_every_field_is_described(folder):
    fields = {field.name for field in dataclasses.fields(Artifact)}
    plain = json.loads((folder / "artifact.json").read_text())
    assert fields - {"card", "metrics"} == set(plain) - {"format_version", "manifest", "checksum"}


def test_files_are_copied_from_paths_too(tmp_path):
    (tmp_path / "w").write_bytes(WEIGHTS)
    written = write_artifact(tmp_path / "m", example(), files={"weights.safetensors": tmp_path / "w"})
    assert (written / "weights.safetensors").read_bytes() == WEIGHTS


def test_an_older_artifact_is_replaced_and_anything_else_is_left_alone(folder, tmp_path):
    write_artifact(folder, example(card="new"))
    assert read_artifact(folder).card == "new"
    assert not (folder / "weights.safetensors").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not lose")
    with pytest.raises(ArtifactError, match="choose another folder"):
        write_artifact(tmp_path / "mine", example())
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "do not lose"


def test_children_are_copied_and_tied_to_their_parent(folder, tmp_path):
    parent = write_artifact(tmp_path / "both", example(kind="ensemble"), children={"a": folder, "b": folder})
    assert read_artifact(parent).children == ("a", "b")
    assert read_artifact(parent / "b") == example()
    write_artifact(parent / "b", example(card="another model"))
    with pytest.raises(ArtifactError, match=r"b/artifact\.json"):
        read_artifact(parent)


def test_an_unknown_kind_is_not_written(tmp_path):
    with pytest.raises(InputError, match="no kind of predictor 'netwrok'; did you mean 'network'"):
        write_artifact(tmp_path / "m", example(kind="netwrok"))
    assert not (tmp_path / "m").exists()


def test_predictors_are_functions_of_pomona():
    assert all(target.startswith("pomona.") and target.count(":") == 1 for target in PREDICTORS.values())


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda f: shutil.rmtree(f), "does not exist"),
        (lambda f: (f / "artifact.json").unlink(), "without its artifact.json"),
        (lambda f: edit(f, format_version=FORMAT_VERSION + 1), "pip install --upgrade"),
        (lambda f: edit(f, format_version="2"), "format_version"),
        (lambda f: edit(f, format_version=0), "format_version"),
        (lambda f: edit(f, format_version=True), "format_version"),
        (lambda f: (f / "artifact.json").write_text("{"), "not valid JSON"),
        (lambda f: (f / "artifact.json").write_text("[" * 200_000), "not valid JSON"),
        (lambda f: (f / "artifact.json").write_bytes(b"\xff\xfe{}"), "not valid JSON"),
        (lambda f: (f / "artifact.json").write_text("[]"), "should hold a JSON object"),
        (lambda f: (f / "artifact.json").write_text("{}"), "not Pomona's"),
        (lambda f: edit(f, sign=False, task_kind="regress"), "was changed"),
        (lambda f: edit(f, kind="agent"), "no predictor of kind 'agent'"),
        (lambda f: edit(f, kind=["network"]), "'kind' should be str"),
        (lambda f: edit(f, inputs=None), "'inputs' should be dict, it is NoneType"),
        (lambda f: edit(f, manifest=None), "no manifest"),
        (lambda f: edit(f, manifest={}), "no manifest"),
        (lambda f: edit(f, children=["../model"]), "no path inside"),
        (lambda f: edit(f, children=["/etc"]), "no path inside"),
        (lambda f: edit(f, children=[7]), "no path inside"),
        (lambda f: edit(f, children=["a"]), "not in the manifest"),
        (lambda f: (f / "weights.safetensors").unlink(), "is missing"),
        (
            lambda f: (f / "weights.safetensors").write_bytes(WEIGHTS[:-1]),
            "truncated: 2048 bytes were written, it has 2047",
        ),
        (lambda f: (f / "weights.safetensors").write_bytes(WEIGHTS + b"x"), "has grown"),
        (lambda f: (f / "weights.safetensors").write_bytes(WEIGHTS[::-1]), "SHA-256 differs"),
        (lambda f: (f / "metrics.json").write_text('{"test": {"accuracy": 1.000}}'), "metrics.json"),
        (lambda f: (f / "card.md").write_text("# Better\n"), "card.md"),
    ],
)
def test_what_is_broken_is_refused_in_one_line(folder, break_it, says):
    break_it(folder)
    with pytest.raises(ArtifactError, match=says) as caught:
        read_artifact(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["../model/card.md", "/etc/passwd", "..", ".", "", "a/../../x", "c:\\x", "a\0b"]
)
def test_a_manifest_never_leads_outside(folder, name):
    manifest = json.loads((folder / "artifact.json").read_text())["manifest"]
    edit(folder, manifest={**manifest, name: {"sha256": "0" * 64, "size_bytes": 1}})
    with pytest.raises(ArtifactError, match="no path inside"):
        read_artifact(folder)


def test_a_link_out_of_the_folder_is_refused(folder, tmp_path):
    (tmp_path / "elsewhere").write_bytes(WEIGHTS)
    (folder / "weights.safetensors").unlink()
    (folder / "weights.safetensors").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtifactError, match="no path inside"):
        read_artifact(folder)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (["config.json", "model.safetensors"], "Hugging Face"),
        (["saved_model.pb"], "TensorFlow SavedModel"),
        (["run.json", "decisions.jsonl"], "run folder"),
        ([], "empty folder"),
        (["a.png", "b.png", "c.png", "d.png"], r"it has a.png, b.png, c.png, …"),
        (["out/artifact.json"], "give .*out"),
    ],
)
def test_a_foreign_folder_is_named_for_what_it_is(tmp_path, files, says):
    (tmp_path / "f" / "out").mkdir(parents=True)
    for name in files:
        (tmp_path / "f" / name).write_text("{}")
    if not any(name.startswith("out") for name in files):
        (tmp_path / "f" / "out").rmdir()
    with pytest.raises(ArtifactError, match=says):
        read_artifact(tmp_path / "f")


def test_a_file_is_no_artifact(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"PK")
    with pytest.raises(ArtifactError, match="is a file: give the folder"):
        read_artifact(tmp_path / "model.pt")


def test_extra_files_are_allowed_and_sections_can_be_added_later(folder):
    (folder / "notes.txt").write_text("mine")
    add_sections(folder, {"search": {"rows": [1, 2]}, "stress": []})
    add_sections(folder, {"search": {"rows": [3]}})
    assert read_artifact(folder) == example()
    assert read_sections(folder) == {"search": {"rows": [3]}, "stress": []}


def test_sections_need_an_artifact_and_a_plain_name(folder, tmp_path):
    with pytest.raises(ArtifactError, match="does not exist"):
        add_sections(tmp_path / "nowhere", {"a": 1})
    with pytest.raises(ArtifactError, match="a section's name"):
        add_sections(folder, {"../artifact": {}})
    (folder / "sections").mkdir()
    (folder / "sections" / "x.json").write_text("{")
    with pytest.raises(ArtifactError, match=r"x\.json is not valid JSON"):
        read_sections(folder)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_byte_goes_unnoticed(folder, data):
    name = data.draw(st.sampled_from(["artifact.json", "metrics.json", "card.md", "weights.safetensors"]))
    original = (folder / name).read_bytes()
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    (folder / name).write_bytes(changed)
    try:
        read = read_artifact(folder)
    except ArtifactError:
        assert bytes(changed) != original
    else:
        # spaces between the fields of artifact.json may change, nothing that means anything
        assert bytes(changed) == original or (name == "artifact.json" and read == example())
    finally:
        (folder / name).write_bytes(original)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plain=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    ),
    name=st.sampled_from(
        ["format_version", "manifest", "inputs", "children", "kind", "blocks_sha256", "spec"]
    ),
)
def test_odd_values_in_artifact_json_are_read_or_refused(folder, plain, name):
    original = (folder / "artifact.json").read_bytes()
    try:
        edit(folder, **{name: plain})
        with contextlib.suppress(ArtifactError):
            read_artifact(folder)
    finally:
        (folder / "artifact.json").write_bytes(original)


def test_a_writer_killed_at_any_moment_leaves_an_artifact_or_none(tmp_path):
    target = tmp_path / "model"
    script = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from test_artifact import example, write_artifact\n"
        "print('go', flush=True)\n"
        "n = 0\n"
        "while True:\n"
        "    n += 1\n"
        "    write_artifact(sys.argv[1], example(card=str(n)), files={'weights': bytes(200_000)})\n"
    )
    for delay_ms in (1, 7, 23, 41):
        writer = subprocess.Popen(
            [sys.executable, "-c", script, str(target), str(Path(__file__).parent)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"go\n"
        with pytest.raises(subprocess.TimeoutExpired):
            writer.wait(delay_ms / 1000)
        writer.kill()
        writer.wait()
        writer.stdout.close()
        if is_artifact(target):
            assert int(read_artifact(target).card) >= 1


def test_reading_and_writing_need_no_torch():
    script = (
        "import sys; from pomona.foundation.artifact import read_artifact, write_artifact, add_sections\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
