"""How much shorter is a step by the product's plan than by what people use?

    python benchmarks/placement.py [--graphs all] [--seeds 3] [--seconds 20] [--quick] [--no-runs]

The fourteen training graphs of the article, at its numbers of devices (GPUs of 14 TFLOP/s and 900 GB/s, a
serial bus of 12 GB/s each), each with three quarters of the memory that one alone would need. Every
baseline's placement is repaired until it fits, where it can be, and finished with the best of the usual
orders and fusions. The product is `pomona place`: the policy and local search under --seconds, from the best
of the quick plans.

"less" is 1 - ours / theirs, of milliseconds of a simulated step, the mean over seeds; the summary has the
geometric mean of ours / theirs over graphs and its interval of 95 % over graphs and seeds (t of logarithms).
Rows are added to benchmarks/results/placement/GRAPH.jsonl as soon as they are there, and not made again.
Writes benchmarks/results/placement.json. `--quick` is three graphs of reduced size, one seed, 3 seconds, and
writes nothing; it prints one JSON line.
"""

import argparse
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pomona.compile.placement.baselines import BASELINES
from pomona.compile.placement.default_policies import completed
from pomona.compile.placement.families import FAMILIES
from pomona.compile.placement.machine.subject import machine_of
from pomona.compile.placement.methods import guided, policy
from pomona.compile.placement.plan import Plan, default_plan
from pomona.compile.placement.problem import Problem, problem_of
from pomona.compile.placement.settings import DECISIONS
from pomona.compile.placement.simulator.bounds import bounds
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.foundation.files import append_line, read_lines, to_json, write_json
from pomona.foundation.randomness import stream
from pomona.foundation.statistics import t_interval

RESULTS = Path(__file__).parent / "results"
FOLDER, RESULT = RESULTS / "placement", RESULTS / "placement.json"

GRAPHS = {
    # graph: devices, as in the article's table
    "rnnlm-2": 2, "rnnlm-4": 4, "rnnlm-8": 8, "gnmt-2": 2, "gnmt-4": 4, "gnmt-8": 8,
    "transformer-xl-2": 2, "transformer-xl-4": 4, "transformer-xl-8": 8,
    "inception": 2, "inception-64": 2, "amoebanet": 4, "wavenet-2x18": 2, "wavenet-4x36": 4,
}  # fmt: skip

MEMORY = 0.75
"""Memory of a device, by what one device would need for the whole."""

RIVALS = ("human-style", "metis", "heft", "m-etf", "m-sct")
"""The baselines of the bar; the others are reported beside them."""

QUICK = {"rnnlm-2": 2, "inception": 2, "transformer-xl-4": 4}
NO_FUSION = DECISIONS[:2]


def main() -> None:
    """Makes what is missing and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--graphs", default="all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-runs", action="store_true", help="only write the result again")
    wanted = parser.parse_args()
    if wanted.quick:
        rows = [row for name in QUICK for row in made(name, QUICK[name], range(1), 3.0, 0.15, [])]
        print(to_json(result(rows)))
        return
    names = list(GRAPHS) if wanted.graphs == "all" else wanted.graphs.split(",")
    for name in () if wanted.no_runs else names:
        path = FOLDER / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        for row in made(name, GRAPHS[name], range(wanted.seeds), wanted.seconds, 1.0, read_lines(path)):
            append_line(path, to_json(row))
            print(to_json(row), flush=True)
    rows = [row for path in sorted(FOLDER.glob("*.jsonl")) for row in read_lines(path)]
    write_json(RESULT, result(rows))


def made(
    name: str, num_devices: int, seeds: range, seconds: float, size: float, known: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Rows of a graph that are not known yet: one of the baselines, then one a seed of the product."""
    there = {(row["by"], row["seed"]) for row in known}
    graph = FAMILIES[name](size=size)
    machine = machine_of(str(num_devices))
    whole = problem_of(graph, machine)
    on_one = default_plan(whole, np.zeros(graph.num_nodes, np.int32))
    needed = float(scored(whole, on_one)["peak_bytes"])
    problem = problem_of(graph, machine_of(str(num_devices), MEMORY * needed))
    limits = bounds(problem)
    facts = {"graph": name, "nodes": graph.num_nodes, "devices": num_devices,
             "memory_gb": MEMORY * needed / 1e9, "bound_ms": limits.lower_us / 1e3}  # fmt: skip
    best: Plan | None = None
    best_us = np.inf
    for by, method in {**BASELINES, "policy": policy}.items():
        began = time.perf_counter()
        plan = method(problem, stream(0, "benchmark", by))
        took = time.perf_counter() - began
        fused = completed(problem, plan, DECISIONS)
        score = scored(problem, fused)
        if score["fits"] and score["step_ms"] * 1e3 < best_us:
            best, best_us = fused, score["step_ms"] * 1e3
        if (by, 0) not in there:
            plain = scored(problem, completed(problem, plan, NO_FUSION))
            yield {**facts, "by": by, "seed": 0, **score, "unfused_ms": plain["step_ms"], "seconds": took}
    for seed in seeds:
        if ("pomona place", seed) not in there:
            generator = stream(seed, "benchmark", "search")
            found = guided(problem, best, DECISIONS, seconds=seconds, generator=generator)
            score = scored(problem, found.plan)
            yield {**facts, "by": "pomona place", "seed": seed, **score, "seconds": seconds,
                   "evaluations": found.evaluations}  # fmt: skip


def scored(problem: Problem, plan: Plan) -> dict[str, Any]:
    """What a plan costs."""
    scores = evaluate(problem, plan.device[None], plan.priority[None], plan.cluster[None])
    return {
        "step_ms": float(scores.step_us[0]) / 1e3,
        "peak_bytes": float(scores.peak_bytes.max()),
        "fits": bool(scores.is_valid[0]),
    }


def result(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A row a graph, and the summary."""
    by_graph: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_graph.setdefault(row["graph"], []).append(row)
    graphs, ratios = [], []
    for found in by_graph.values():
        ours = [row["step_ms"] for row in found if row["by"] == "pomona place" and row["fits"]]
        rivals = {row["by"]: row["step_ms"] for row in found if row["by"] in RIVALS and row["fits"]}
        if not ours or not rivals:
            continue
        best = min(rivals, key=lambda by: rivals[by])
        ratios.append(float(np.mean(np.log(np.array(ours) / rivals[best]))))
        graphs.append({
            **{key: found[0][key] for key in ("graph", "nodes", "devices", "memory_gb", "bound_ms")},
            "ours_ms": float(np.mean(ours)), "seeds": len(ours), "worst_seed_ms": max(ours),
            "best_rival": best, "rival_ms": rivals[best], "less": 1 - float(np.mean(ours)) / rivals[best],
            "gap_to_bound": float(np.mean(ours)) / found[0]["bound_ms"] - 1,
            "others_ms": {row["by"]: row["step_ms"] if row["fits"] else None
                          for row in found if row["by"] != "pomona place"},
            "unfused_ms": {row["by"]: row["unfused_ms"] for row in found if "unfused_ms" in row},
        })  # fmt: skip
    mean = float(np.mean(ratios)) if ratios else float("nan")
    num_seeds = max((row["seeds"] for row in graphs), default=0)
    interval = t_interval(np.array(ratios)) if len(ratios) > 1 else None
    return {
        "benchmark": "placement",
        "unit": "milliseconds of a simulated step; less = 1 - ours / theirs",
        "bar": f"at least 15 % less than the best of {', '.join(RIVALS)}, geometric mean; no graph worse",
        "command": f"python benchmarks/placement.py --seeds {num_seeds}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread",
        "date": time.strftime("%Y-%m-%d"),
        "less_geometric_mean": 1 - float(np.exp(mean)),
        "less_interval": None if interval is None
        else [1 - float(np.exp(interval.high)), 1 - float(np.exp(interval.low))],
        "graphs_worse": [row["graph"] for row in graphs if row["less"] < 0],
        "graphs": graphs,
    }  # fmt: skip


if __name__ == "__main__":
    main()
