"""What holds for every verb: exit codes, one line an error, one JSON object."""

import pytest

from pomona.cli.main import exit_code
from pomona.cli.verbs import VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb, capsys):
    assert exit_code([verb, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"pomona {verb}" in shown
    assert "--json" in shown


def test_a_wrong_verb_is_one_line_and_exit_code_2(pomona):
    said = pomona("serach", "digits")
    assert (said.code, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1
    assert "search" in said.err


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
        ("stress", "digits", "--models", "1"),
        ("stress", "digits", "--families", "corruption"),
        ("predict", "nowhere", "x.csv"),
        ("tasks", "digitz"),
        ("assets", "fetch", "nothing"),
        ("report", "nowhere"),
    ],
    ids=" ".join,
)
def test_wrong_input_is_one_line_and_exit_code_2(pomona, arguments):
    said = pomona(*arguments, "--json")
    assert (said.code, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1, said.err
    assert "Traceback" not in said.err


def test_json_is_the_only_thing_on_standard_output(pomona):
    said = pomona("tasks", "--json")
    assert said.code == 0
    assert "digits" in {task["name"] for task in said.json["tasks"]}
    assert "tourism" in {series["name"] for series in said.json["series"]}


def test_version_is_printed(pomona):
    said = pomona("--version")
    assert said.code == 0
    assert said.out.strip()
