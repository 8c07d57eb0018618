"""`pomona bench` and `pomona export` as a user runs them."""

import sys

import pytest

from pomona.cli.main import exit_code
from pomona.foundation.files import read_json

KEYS = {
    "scenario",
    "runtime",
    "valid",
    "reasons",
    "queries",
    "p50_ms",
    "p90_ms",
    "p99_ms",
    "early_stopping_ms",
}
KEYS |= {"qps", "quality", "seconds", "report"}

OWN = """
calls = []
def answers(samples): return samples
def breaks(samples):
    calls.append(1)
    if len(calls) > 300: raise RuntimeError("out of memory")
def other(samples): return samples
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a module of functions, in which commands are called."""
    (tmp_path / "bench_functions.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "bench_functions", raising=False)
    return tmp_path


@pytest.mark.parametrize("scenario", ["single", "multi", "server", "offline"])
def test_every_number_of_the_contract_is_there(folder, scenario):
    from pomona.compile.stopwatch.command import bench

    rate = {"qps": 2000} if scenario == "server" else {}
    asked = {"scenario": scenario, "seconds": 0.05, "quick": True, "out": folder / "run", **rate}
    result = bench("bench_functions:answers", log=True, **asked)
    assert set(result) >= KEYS
    assert (result["scenario"], result["runtime"], result["valid"]) == (scenario, "function", False)
    assert result["quality"] is None
    assert (folder / "run" / "report.html").stat().st_size > 10_000
    said = (folder / "run" / "mlperf" / "function" / "mlperf_log_summary.txt").read_text()
    assert "Result is : INVALID" in said
    assert read_json(folder / "run" / "result.json")["queries"] == result["queries"]


def test_a_finished_run_prints_its_result_and_a_changed_function_is_another(folder):
    from pomona.compile.stopwatch.command import bench

    asked = {"seconds": 0.02, "quick": True, "quiet": True}
    first = bench("bench_functions:other", **asked)
    assert bench("bench_functions:other", **asked) == first
    (folder / "bench_functions.py").write_text(OWN + "\n")
    assert bench("bench_functions:other", **asked)["report"] != first["report"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("missing.onnx",), 2, "no such file: missing.onnx"),
        (("no-such-thing",), 2, "no program is called"),
        ((), 2, "wants what to measure"),
        (("bench_functions:answers", "--scenario", "server", "--qps", "0"), 2, "qps must be above 0"),
        (("bench_functions:answers", "--qps", "5"), 2, "qps is for the scenario server"),
        (("bench_functions:breaks",), 2, "failed 20 times in a row after"),
        (("http://127.0.0.1:9/x",), 2, "does not answer"),
        (("false",), 2, "ended with 1"),
        (("bench_functions:answers", "--task", "nothing"), 2, "no task or file"),
    ],
)
def test_what_cannot_be_measured_is_one_line(folder, capsys, words, code, said):
    assert exit_code(["bench", *words, "--quick", "--seconds", "0.5", "--quiet"]) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing",), "does not exist"),
        (("bench_functions.py",), "wants an artifact's folder"),
        ((".", "--examples", "0"), "examples must be at least 1"),
        ((".", "--calibration", "x.csv"), "calibration is for --int8"),
    ],
)
def test_what_cannot_be_exported_is_one_line(folder, capsys, words, said):
    assert exit_code(["export", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
