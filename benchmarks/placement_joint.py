"""Is it worth deciding placement, order and fusion together?

    python benchmarks/placement_joint.py [--graphs all] [--seeds 5] [--scale 0.1] [--evaluations 600]
        [--quick] [--no-runs]

Every way has the same simulations, from METIS's placement in program order with nothing fused:

joint         policy + search over all three decisions
one by one    placement with a third of them, then the order for that placement, then fusion for both
two of three  the pairs, the third as frameworks have it: program order, nothing fused, or METIS's placement

Ratios are joint / the other of simulated milliseconds a step. Rows are added to
benchmarks/results/placement_joint/GRAPH.jsonl as soon as they are there, and not made again. Writes
benchmarks/results/placement_joint.json; `--quick` is one tiny graph and writes nothing. Prints one JSON line.
"""

import argparse
import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from placement import GRAPHS
from placement_policy import problem_at

from pomona.compile.placement.baselines import BASELINES
from pomona.compile.placement.plan import Plan, default_plan
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.search.guided import guided
from pomona.compile.placement.settings import DECISIONS
from pomona.foundation.files import append_line, read_lines, to_json, write_json
from pomona.foundation.randomness import stream
from pomona.foundation.statistics import t_interval

RESULTS = Path(__file__).parent / "results"
FOLDER, RESULT = RESULTS / "placement_joint", RESULTS / "placement_joint.json"
PAIRS = {
    "placement + order": ("placement", "scheduling"),
    "placement + fusion": ("placement", "fusion"),
    "order + fusion": ("scheduling", "fusion"),
}
WAYS = ("joint", "one by one", *PAIRS)


def main() -> None:
    """Makes what is missing and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--graphs", default="all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--evaluations", type=int, default=600)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-runs", action="store_true", help="only write the result again")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    if wanted.quick:
        rows = [measured("wavenet-2x18", seed, 0.05, 60) for seed in range(2)]
        print(to_json(summary(rows)))
        return
    names = list(GRAPHS) if wanted.graphs == "all" else wanted.graphs.split(",")
    for seed in range(0 if wanted.no_runs else wanted.seeds):
        for name in names:
            path = FOLDER / f"{name}.jsonl"
            key = {"graph": name, "seed": seed, "scale": wanted.scale, "evaluations": wanted.evaluations}
            if not any(all(row[field] == value for field, value in key.items()) for row in read_lines(path)):
                path.parent.mkdir(parents=True, exist_ok=True)
                append_line(path, to_json(measured(name, seed, wanted.scale, wanted.evaluations)))
    result = {
        **head(wanted),
        **summary([row for path in sorted(FOLDER.glob("*.jsonl")) for row in read_lines(path)]),
    }
    write_json(RESULT, result)
    print(to_json(result))


def measured(name: str, seed: int, scale: float, evaluations: int) -> dict[str, Any]:
    """One graph and seed, all ways."""
    problem = problem_at(name, scale)
    device = BASELINES["metis"](problem, stream(seed, "metis")).device
    start = default_plan(problem, device)

    def best(decided: tuple[str, ...], begin: Plan, simulations: int) -> tuple[Plan, float]:
        generator = stream(seed, "joint or not", "+".join(decided))
        found = guided(
            problem, start=begin, decided=decided, seconds=600, evaluations=simulations, generator=generator
        )
        return found.plan, found.step_us / 1e3

    row: dict[str, Any] = {"graph": name, "seed": seed, "scale": scale, "evaluations": evaluations}
    row["joint"] = best(DECISIONS, start, evaluations)[1]
    for pair, decided in PAIRS.items():
        row[pair] = best(decided, start, evaluations)[1]
    row["one by one"] = one_by_one(problem, start, evaluations, best)
    return row


def one_by_one(problem: Problem, start: Plan, evaluations: int, best) -> float:
    """Each decision after the other; those made before are kept."""
    plan, step_ms = start, float("inf")
    for decision in DECISIONS:
        plan, step_ms = best((decision,), plan, evaluations // 3)
    return step_ms


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Geometric means of joint / other over graphs, their intervals of 95 %, and the worst graph's."""
    result: dict[str, Any] = {}
    for way in WAYS[1:]:
        by_graph: dict[str, list[float]] = {}
        for row in rows:
            by_graph.setdefault(row["graph"], []).append(float(np.log(row["joint"] / row[way])))
        means = {name: float(np.mean(values)) for name, values in by_graph.items()}
        worst = max(means, key=lambda name: means[name])
        interval = t_interval(list(means.values())) if len(means) > 1 else None
        result[f"joint / {way}"] = {
            "ratio": float(np.exp(np.mean(list(means.values())))),
            "low": None if interval is None else float(np.exp(interval.low)),
            "high": None if interval is None else float(np.exp(interval.high)),
            "worst": float(np.exp(means[worst])),
            "worst graph": worst,
            "graphs": len(means),
            "rows": len(rows),
        }
    return result


def head(wanted: argparse.Namespace) -> dict[str, Any]:
    """What the page of results says of every benchmark."""
    return {
        "benchmark": "Placement, order and fusion decided together, one by one, or two of the three",
        "unit": "ratio of simulated step times, joint / other, geometric mean over graphs",
        "bar": "joint / one by one at most 0.95; joint / any pair below 1 on every graph",
        "command": f"python benchmarks/placement_joint.py --scale {wanted.scale} --evaluations "
        f"{wanted.evaluations} --seeds {wanted.seeds}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "date": time.strftime("%Y-%m-%d"),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


if __name__ == "__main__":
    main()
