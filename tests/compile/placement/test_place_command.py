"""`pomona place` as users meet it, on a small training graph."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pomona.compile.placement.command import place
from pomona.compile.placement.families import FAMILIES
from pomona.compile.placement.graph_file import write_graph
from pomona.compile.placement.machine.subject import machine_of
from pomona.compile.placement.methods import METHODS
from pomona.compile.placement.plan import Found, default_plan, read_plan, write_plan
from pomona.compile.placement.problem import problem_of
from pomona.compile.placement.simulator.timeline import simulate
from pomona.foundation.errors import InputError, Interrupted

QUICK = "single,round-robin,topological,metis"


@pytest.fixture(scope="module")
def graph():
    return FAMILIES["rnnlm-2"](size=0.1)


def asked(graph, folder, **keywords):
    return place(graph, out=folder, quiet=True, **{"methods": QUICK, "seconds": 0.0, **keywords})


def test_the_chosen_plan_is_the_quickest_that_fits_and_its_file_gives_the_same_step(graph, tmp_path):
    result = asked(graph, tmp_path / "run", devices="4")
    fitting = {name: one["step_ms"] for name, one in result["plans"].items() if one["valid"]}
    assert set(result["plans"]) == set(QUICK.split(","))
    assert result["chosen"]["by"] == min(fitting, key=lambda name: fitting[name])
    assert result["chosen"]["step_ms"] == min(fitting.values()) >= result["lower_bound_ms"]
    step = simulate(problem_of(graph, machine_of("4")), read_plan(Path(result["plan"])))
    assert step.step_us / 1e3 == pytest.approx(result["chosen"]["step_ms"], rel=1e-12)
    assert Path(result["report"]).stat().st_size > 10_000


def test_what_is_not_decided_is_program_order_and_nothing_fused(graph, tmp_path):
    result = asked(graph, tmp_path / "run", decide="placement")
    plan = read_plan(Path(result["plan"]))
    np.testing.assert_array_equal(plan.cluster, np.arange(graph.num_nodes))
    assert (np.diff(plan.priority) < 0).all()
    fused = asked(graph, tmp_path / "fused")
    assert fused["chosen"]["step_ms"] < result["chosen"]["step_ms"]
    assert len(np.unique(read_plan(Path(fused["plan"])).cluster)) < graph.num_nodes


@pytest.mark.parametrize("share", [0.8, 0.505])
def test_a_plan_that_needs_more_memory_than_a_device_has_is_never_chosen(graph, tmp_path, share):
    whole = asked(graph, tmp_path / "whole", methods="single")["plans"]["single"]["peak_memory_bytes"]
    result = asked(graph, tmp_path / "run", memory_gb=share * whole / 1e9)
    for plan in result["plans"].values():
        assert plan["valid"] == (plan["peak_memory_bytes"] <= share * whole * (1 + 1e-9))
    by = result["chosen"]["by"]
    assert result["plans"][by]["valid"] if by else not any(p["valid"] for p in result["plans"].values())


def test_a_graph_that_cannot_fit_is_refused_with_what_it_needs(graph, tmp_path):
    with pytest.raises(
        InputError, match=r"needs at least .* GB, the devices of gpu-2 have 2e-06 GB together"
    ):
        asked(graph, tmp_path / "run", memory_gb=1e-6)


def test_a_plan_to_start_with_is_in_the_contest_and_must_be_of_this_graph(graph, tmp_path):
    problem = problem_of(graph, machine_of("2"))
    write_plan(default_plan(problem, np.zeros(graph.num_nodes, np.int32)), tmp_path / "mine.json")
    result = asked(graph, tmp_path / "run", methods="metis", start=str(tmp_path / "mine.json"))
    assert set(result["plans"]) == {"start", "metis"}
    with pytest.raises(InputError, match="use a plan that was made for this graph"):
        asked(FAMILIES["rnnlm-2"](size=0.05), tmp_path / "other", start=str(tmp_path / "mine.json"))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"methods": "mets"}, "metis"),
        ({"decide": "placement,ordering"}, "scheduling"),
        ({"decide": "fusion"}, "must hold placement"),
        ({"devices": "0"}, "between 1 and"),
        ({"devices": "gpu-3"}, "gpu-2"),
        ({"seconds": -1.0}, "at least 0"),
        ({"sizes": "height=a"}, "height=224,width=224"),
        ({"profile": True, "devices": "gpu-2"}, "a number of its cores"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(graph, tmp_path, keywords, message):
    with pytest.raises(InputError, match=message) as caught:
        asked(graph, tmp_path / "run", **keywords)
    assert "\n" not in str(caught.value)


def test_an_interrupted_search_goes_on_from_its_best_plan(graph, tmp_path, monkeypatch):
    """A stand-in search that is stopped in its first half and asked for the rest afterwards."""
    calls = []

    def search(problem, start, decided, *, seconds, generator, on_best, should_stop):
        step = simulate(problem, start).step_us
        calls.append((seconds, step))
        if len(calls) == 1:
            raise_signal()
            assert should_stop()
            return Found(start, step, 10, 4.0, [(1.0, 10, step)])
        return Found(start, step, 5, seconds, [(2.0, 5, step)])

    def raise_signal():
        import signal

        signal.raise_signal(signal.SIGINT)

    monkeypatch.setitem(METHODS, "guided", search)
    settings = {"methods": "metis,guided", "seconds": 10.0}
    with pytest.raises(Interrupted):
        asked(graph, tmp_path / "run", **settings)
    result = asked(graph, tmp_path / "run", **settings)
    assert [seconds for seconds, _ in calls] == [10.0, 6.0]
    assert calls[0][1] == calls[1][1] == 1e3 * result["plans"]["metis"]["step_ms"]
    history = json.loads((tmp_path / "run" / "state" / "plan-guided.json").read_text())["state"]["history"]
    assert [second for second, _, _ in history] == [1.0, 6.0]


def test_a_graph_file_and_its_graph_have_the_same_plans(graph, tmp_path):
    write_graph(graph, tmp_path / "graph.json")
    by_file = asked(tmp_path / "graph.json", tmp_path / "file")
    assert by_file["plans"] == asked(graph, tmp_path / "run")["plans"]


@pytest.mark.parametrize("package", ["numba", "pymetis"])
def test_without_a_package_one_line_says_what_to_install(tmp_path, package):
    code = f"import sys; sys.modules[{package!r}] = None; from pomona.cli.main import main; main()"
    command = ["place", "rnnlm-2", "--methods", "metis", "--seconds", "0", "--out", str(tmp_path / "run")]
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True)
    assert done.returncode == 2
    wanted = f"{package} is needed here and not installed: pip install 'pomona-ml[compile]'"
    assert done.stderr.strip().endswith(wanted)
    assert "Traceback" not in done.stderr
