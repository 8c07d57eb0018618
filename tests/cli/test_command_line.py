"""What holds for every verb: exit codes, one line an error, one JSON object."""

import json
import subprocess
import sys

import pytest

from pomona.cli.main import exit_code
from pomona.cli.verbs import VERBS


def pomona(*arguments, cwd=None):
    """Runs the command line as a user does; returns (exit code, standard output, standard error)."""
    done = subprocess.run(
        [sys.executable, "-m", "pomona", *map(str, arguments)], capture_output=True, text=True, cwd=cwd
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb, capsys):
    assert exit_code([verb, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"pomona {verb}" in shown
    assert "--json" in shown


def test_a_wrong_verb_is_one_line_and_exit_code_2():
    code, out, err = pomona("serach", "digits")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "search" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "digitz"),
        ("search", "digits", "--trials", "0"),
        ("search", "digits", "--trials", "-3"),
        ("search", "digits", "--trials", "many"),
        ("search", "no/such/file.csv"),
        ("fit", "digits", "--epochs", "0"),
        ("fit", "digits", "--network", "dens"),
        ("fit", "digits", "--learning-rate", "nan"),
        ("predict", "nowhere", "x.csv"),
        ("tasks", "digitz"),
        ("assets", "fetch", "nothing"),
        ("report", "nowhere"),
    ],
    ids=" ".join,
)
def test_wrong_input_is_one_line_and_exit_code_2(arguments, tmp_path):
    code, out, err = pomona(*arguments, "--json", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1, err
    assert "Traceback" not in err


def test_json_is_the_only_thing_on_standard_output():
    code, out, _ = pomona("tasks", "--json")
    assert code == 0
    assert "digits" in {task["name"] for task in json.loads(out)["tasks"]}


def test_version_is_printed():
    code, out, _ = pomona("--version")
    assert code == 0
    assert out.strip()
