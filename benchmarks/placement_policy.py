"""What is the pre-trained policy worth: as it is, fine-tuned, beside rivals, and as a guide of the search?

    python benchmarks/placement_policy.py [--parts zero-shot,tuned,rivals,guided] [--graphs all] [--seeds 2]
        [--scale 0.2] [--seconds 8] [--quick] [--no-runs]

The fourteen graphs of benchmarks/placement.py at --scale of their size, 1.4 times the memory that one device
would need spread over all devices. Ratios are ours / theirs of simulated milliseconds a step.

zero-shot  the policy's most probable plan, without training, and the best of 64 draws, by METIS's; both with
           memory repaired and the best of the usual orders and fusions. The policy sees METIS's parts.
tuned      50 steps of PPO from the shipped weights, a minute at most, by a policy that learns on this graph
           alone for half as many seconds more.
rivals     simulations that policy + search (placement and order only) needs to be as good as the best plan of
           RIVAL_EVALUATIONS simulations of the hierarchical policy.
guided     policy + search by search alone (annealing from the same start with the same draws) after equal
           seconds of the processor, which others use too; and by the same with a policy never taught:
           the gain over it is what was learned, the rest comes with two starts and further moves.

Unseen are AmoebaNet and graphs whose member of the family was in no training set; of others small sizes were
seen. Rows are added to benchmarks/results/placement_policy/PART.jsonl as soon as they are there, and not
made again. Writes benchmarks/results/placement_policy.json; `--quick` is two tiny graphs and writes nothing.
Prints one JSON line.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from placement import GRAPHS

from pomona.compile.placement.baselines import BASELINES
from pomona.compile.placement.default_policies import completed
from pomona.compile.placement.families import FAMILIES
from pomona.compile.placement.machine.subject import machine_of
from pomona.compile.placement.plan import Found, Plan
from pomona.compile.placement.policy.hierarchical import hierarchical
from pomona.compile.placement.policy.incremental import incremental
from pomona.compile.placement.policy.network import GraphOptimizer
from pomona.compile.placement.policy.optimise import fine_tune, go_one, zero_shot
from pomona.compile.placement.problem import Problem, problem_of
from pomona.compile.placement.search.annealing import search_plan
from pomona.compile.placement.search.guided import guided
from pomona.compile.placement.settings import DECISIONS
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.foundation.files import append_line, read_lines, to_json, write_json
from pomona.foundation.randomness import stream
from pomona.foundation.statistics import t_interval

RESULTS = Path(__file__).parent / "results"
FOLDER, RESULT = RESULTS / "placement_policy", RESULTS / "placement_policy.json"
UNSEEN = ("rnnlm-8", "gnmt-8", "transformer-xl-8", "inception-64", "amoebanet", "wavenet-4x36")
MEMORY = 1.4
RIVAL_EVALUATIONS = 800
QUICK = ("rnnlm-2", "wavenet-2x18")


def main() -> None:
    """Makes what is missing and writes the result."""
    parser = argparse.ArgumentParser(description="What is the pre-trained policy worth?")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--graphs", default="all")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--scale", type=float, default=0.2)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-runs", action="store_true", help="only write the result again")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    if wanted.quick:
        rows = [
            {"part": part, "graph": name, **PARTS[part](problem_at(name, 0.05), 0, 1.0)}
            for part in wanted.parts.split(",")
            for name in QUICK
        ]
        print(to_json(summary(rows)))
        return
    names = list(GRAPHS) if wanted.graphs == "all" else wanted.graphs.split(",")
    for part in () if wanted.no_runs else wanted.parts.split(","):
        for seed in range(wanted.seeds):
            for name in names:
                measure(part, name, seed, wanted.scale, wanted.seconds)
    rows = [row for part in PARTS for row in read_lines(FOLDER / f"{part}.jsonl")]
    result = {**head(wanted), **summary(rows)}
    write_json(RESULT, result)
    print(to_json(result))


def measure(part: str, name: str, seed: int, scale: float, seconds: float) -> None:
    """Adds one row, unless it is there."""
    path = FOLDER / f"{part}.jsonl"
    key = {"part": part, "graph": name, "seed": seed, "scale": scale, "seconds": seconds}
    if any(all(row[field] == value for field, value in key.items()) for row in read_lines(path)):
        return
    problem = problem_at(name, scale)
    path.parent.mkdir(parents=True, exist_ok=True)
    row = {**key, "nodes": problem.graph.num_nodes, "load": os.getloadavg()[0]}
    append_line(path, to_json({**row, **PARTS[part](problem, seed, seconds)}))


def problem_at(name: str, scale: float, memory: float = MEMORY) -> Problem:
    """A graph of the article at a part of its size on its number of devices with little memory."""
    graph, num = FAMILIES[name](size=scale), GRAPHS[name]
    alone = problem_of(graph, machine_of("1"))
    nodes = np.arange(graph.num_nodes)
    needed = evaluate(alone, 0 * nodes[None], -nodes[None].astype(float)).peak_bytes[0, 0]
    # half of all at least: a reduced graph has weights as large as a whole one, and few of them
    each = max(memory / num, 0.5) * needed
    return problem_of(graph, machine_of(str(num), each))


def zero_shot_part(problem: Problem, seed: int, seconds: float) -> dict[str, Any]:
    """The policy as it is."""
    generator = stream(seed, "zero-shot")
    began = time.monotonic()
    metis = step_ms(problem, completed(problem, BASELINES["metis"](problem, generator), DECISIONS))
    between = time.monotonic()
    likely = step_ms(problem, zero_shot(problem))
    after = time.monotonic()
    drawn = step_ms(problem, zero_shot(problem, num_samples=64, generator=generator))
    times = {"metis_s": between - began, "policy_s": after - between}
    return {"metis_ms": metis, "policy_ms": likely, "drawn_ms": drawn, **times}


def tuned_part(problem: Problem, seed: int, seconds: float) -> dict[str, Any]:
    """Fine-tuned, and from nothing."""
    tuned = fine_tune(problem, generator=stream(seed, "tuned"))
    one = go_one(problem, seconds=1.5 * tuned.seconds, generator=stream(seed, "one"))
    return {
        "tuned_ms": tuned.step_us / 1e3,
        "tuned_s": tuned.seconds,
        "tuned_evaluations": tuned.evaluations,
        "one_ms": one.step_us / 1e3,
        "one_s": one.seconds,
        "one_evaluations": one.evaluations,
    }


def rivals_part(problem: Problem, seed: int, seconds: float) -> dict[str, Any]:
    """Hierarchical and incremental policies, and how soon policy + search is as good as the first."""
    common = {"seconds": 600.0, "evaluations": RIVAL_EVALUATIONS}
    grouped = hierarchical(problem, generator=stream(seed, "grouped"), **common)
    stepwise = incremental(problem, generator=stream(seed, "stepwise"), **common)
    ours = guided(problem, decided=DECISIONS[:2], generator=stream(seed, "rivals"), **common)
    return {
        "hierarchical_ms": grouped.step_us / 1e3,
        "hierarchical_evaluations": evaluations_to(grouped, grouped.step_us),
        "incremental_ms": stepwise.step_us / 1e3,
        "ours_ms": ours.step_us / 1e3,
        "ours_evaluations": evaluations_to(ours, grouped.step_us),
    }


def guided_part(problem: Problem, seed: int, seconds: float) -> dict[str, Any]:
    """Search alone, with the policy, and with one that was never taught, in turn, the first by the seed."""
    torch.manual_seed(seed)
    untaught = partial(guided, network=GraphOptimizer().eval())
    methods: list[tuple[str, Callable[..., Found]]]
    methods = [("search", search_plan), ("guided", guided), ("untaught", untaught)]
    first, row = seed % len(methods), {}
    for name, method in (*methods[first:], *methods[:first]):
        found = method(
            problem, seconds=seconds, generator=stream(seed, "guided or not"), clock=time.process_time
        )
        row[f"{name}_ms"], row[f"{name}_evaluations"] = found.step_us / 1e3, found.evaluations
    return row


PARTS = {"zero-shot": zero_shot_part, "tuned": tuned_part, "rivals": rivals_part, "guided": guided_part}
RATIOS = (
    # name, part, ours, theirs
    ("most probable plan / METIS", "zero-shot", "policy_ms", "metis_ms"),
    ("best of 64 draws / METIS", "zero-shot", "drawn_ms", "metis_ms"),
    ("fine-tuned / GO-one", "tuned", "tuned_ms", "one_ms"),
    ("policy + search / hierarchical", "rivals", "ours_ms", "hierarchical_ms"),
    ("policy + search / incremental", "rivals", "ours_ms", "incremental_ms"),
    ("policy + search / search", "guided", "guided_ms", "search_ms"),
    ("policy + search / untaught policy + search", "guided", "guided_ms", "untaught_ms"),
)


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Geometric means with intervals of 95 % over rows, and the worst graph's mean."""
    result: dict[str, Any] = {}
    for name, part, ours, theirs in RATIOS:
        some = [row for row in rows if row["part"] == part and theirs in row]
        reduced = [row for row in some if row.get("scale", 0) < 1]
        groups = {
            "": reduced,
            ", unseen": [row for row in reduced if row["graph"] in UNSEEN],
            ", whole graphs": [row for row in some if row.get("scale", 0) >= 1],
        }
        for group, members in groups.items():
            if members:
                result[name + group] = ratio(members, ours, theirs)
    rivals = [row for row in rows if row["part"] == "rivals" and row["ours_evaluations"] is not None]
    if rivals:
        saved = [row["hierarchical_evaluations"] / max(row["ours_evaluations"], 1) for row in rivals]
        result["median of hierarchical / our simulations to its best"] = float(np.median(saved))
    tuned = [row["tuned_s"] for row in rows if row["part"] == "tuned"]
    if tuned:
        result["most seconds of 50 steps"] = max(tuned)
    return result


def ratio(rows: list[dict[str, Any]], ours: str, theirs: str) -> dict[str, Any]:
    """One comparison."""
    by_graph: dict[str, list[float]] = {}
    for row in rows:
        by_graph.setdefault(row["graph"], []).append(float(np.log(row[ours] / row[theirs])))
    means = {name: float(np.mean(values)) for name, values in by_graph.items()}
    logs = list(means.values())
    interval = t_interval(logs) if len(logs) > 1 else None
    worst = max(means, key=lambda name: means[name])
    return {
        "ratio": float(np.exp(np.mean(logs))),
        "low": None if interval is None else float(np.exp(interval.low)),
        "high": None if interval is None else float(np.exp(interval.high)),
        "worst": float(np.exp(means[worst])),
        "worst graph": worst,
        "graphs": len(means),
        "rows": len(rows),
    }


def evaluations_to(found: Found, step_us: float) -> int | None:
    """Simulations until a plan was as good; None: never."""
    return next((count for _, count, step in found.history if step <= step_us), None)


def step_ms(problem: Problem, plan: Plan) -> float:
    """The step, a billion where the plan does not fit."""
    scores = evaluate(problem, plan.device[None], plan.priority[None], plan.cluster[None])
    return float(scores.step_us[0]) / 1e3 if scores.is_valid[0] else 1e9


def head(wanted: argparse.Namespace) -> dict[str, Any]:
    """What the page of results says of every benchmark."""
    return {
        "benchmark": "The placement policy: unseen graphs, fine-tuning, rivals, and as a guide of search",
        "unit": "ratio of simulated step times, ours / theirs, geometric mean over graphs",
        "bar": "zero-shot / METIS at most 1; fine-tuned / GO-one at most 1.02; guided / search at most 0.97, "
        "no graph above 1; 10 times fewer simulations than the hierarchical policy",
        "command": f"python benchmarks/placement_policy.py --scale {wanted.scale} --seconds {wanted.seconds} "
        f"--seeds {wanted.seeds} and --parts guided --scale 1 --seconds 20 for whole graphs",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, shared with other work",
        "date": time.strftime("%Y-%m-%d"),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


if __name__ == "__main__":
    main()
