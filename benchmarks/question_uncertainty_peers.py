"""Our methods of uncertainty against other people's, on the same splits and networks, scored alike.

    python benchmarks/question_uncertainty_peers.py --python PEERS_PYTHON [--tasks wine,digits] [--folder DIR]
                                                    [--grid DIR] [--baselines DIR] [--only peers|ours]

PEERS_PYTHON is the interpreter of the environment that benchmarks/peers/uncertainty_methods.txt describes.
Peers: methods of torch-uncertainty and laplace-torch on Pomona's own networks, from the same weights, with
the same steps; packed ensembles and scikit-learn's calibrated network of the same widths on vectors. Each is
tuned on validation data with 4 points, as ours are, then fitted with seeds 0, 1 and 2; the best of them is
the one with the lowest nll on validation data, as with ours. A logistic or Bayesian linear regression stands
beside them, outside the comparison, since it is no network.

Ours come from the lines of benchmarks/question_uncertainty.py, whose chosen method is fitted again for its
nll on every example. A method that both sides have is fitted at the peer's point, to see whether they agree.
What is done is kept in DIR and not done again. Writes benchmarks/results/question_uncertainty_peers.json.
"""

import argparse
import os
import platform
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pomona.fit.feeds import read_all
from pomona.fit.trials.space import Float, Space
from pomona.foundation.files import read_json, to_json, write_json
from pomona.foundation.randomness import stream
from pomona.foundation.run import temporary_run
from pomona.foundation.statistics import t_interval
from pomona.question.uncertainty.asking import said_of_source
from pomona.question.uncertainty.baselines import FOLDER as BASELINES
from pomona.question.uncertainty.baselines import recorded_tasks
from pomona.question.uncertainty.cell import fit_method, losses
from pomona.question.uncertainty.grid import Row, cells_in, complete, row
from pomona.question.uncertainty.methods import METHODS
from pomona.question.uncertainty.methods.monte_carlo_dropout import with_dropout
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.said import Said, SaidValues, said_of
from pomona.question.uncertainty.summary import best_method, summary
from pomona.question.uncertainty.tuning import SHARED, TUNING_SEED, settings_at
from pomona.tasks.feature import mask_key

RESULTS = Path(__file__).parent / "results"
RESULT = RESULTS / "question_uncertainty_peers.json"
FITS = Path(__file__).parent / "peers" / "uncertainty_fits.py"
SEEDS, NUM_POINTS, NUM_RESAMPLES, NUM_FEW = (0, 1, 2), 4, 2000, 5
LINEAR = "linear"

OWN: dict[str, Space] = {
    "plain": Space({}),
    "deep-ensemble": Space({}),
    "mc-dropout": Space({"rate": Float(0.01, 0.5, log=True)}),
    "batch-ensemble": Space({}),
    "packed-ensemble": Space({}),
    "temperature-scaling": Space({}),
    "evidential": Space({"strength": Float(1e-3, 1.0, log=True)}),
    "swag": Space({"slower": Float(0.03, 1.0, log=True), "scale": Float(0.1, 1.0, log=True)}),
    "laplace-last-layer": Space({"prior_precision": Float(0.1, 1e4, log=True)}),
    "laplace-kronecker": Space({"prior_precision": Float(0.1, 1e4, log=True)}),
    "calibrated": Space({}),
    LINEAR: Space({"strength": Float(1e-2, 1e2, log=True)}),
}
"""What is chosen for a peer besides learning rate and weight decay: the ranges of ours."""

FIRST = {"rate": 0.1, "strength": 0.01, "slower": 0.3, "scale": 1.0, "prior_precision": 0.0}
"""The first point tried, our defaults; a precision of 0 is chosen by each side itself."""

NOT_FOR = {
    "classify": {},
    "regress": dict.fromkeys(("temperature-scaling", "evidential", "calibrated", "swag"), "for classes only"),
}
VECTORS_ONLY = ("packed-ensemble", "calibrated", LINEAR)

SAME = {
    "classify": {
        "plain": "deterministic",
        **{
            name: name
            for name in (
                "deep-ensemble",
                "mc-dropout",
                "batch-ensemble",
                "temperature-scaling",
                "laplace-last-layer",
                "laplace-kronecker",
            )
        },
    },
    "regress": {"plain": "heteroscedastic", "deep-ensemble": "heteroscedastic-ensemble"},
}
"""Peer → the method of ours that is the same; those left out differ in what the papers leave open."""


def main() -> None:
    """Asks the peers, fits ours, and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default="python")
    parser.add_argument("--tasks", default="all")
    parser.add_argument("--folder", type=Path, default=Path("runs/uncertainty-peers"))
    parser.add_argument("--grid", type=Path, default=RESULTS / "uncertainty")
    parser.add_argument("--baselines", type=Path, default=BASELINES)
    parser.add_argument("--only", choices=("peers", "ours"))
    wanted = parser.parse_args()
    found = []
    for name in recorded_tasks() if wanted.tasks == "all" else wanted.tasks.split(","):
        folder = wanted.folder / name
        asked = row(name, wanted.baselines)
        if wanted.only != "ours":
            ask_peers(asked, folder, wanted.python)
        if wanted.only != "peers":
            found.append(compared(asked, folder, wanted.grid))
            print(to_json(found[-1]), flush=True)
    if wanted.only != "peers":
        kept = {one["task"]: one for one in read_json(RESULT)["tasks"]} if RESULT.exists() else {}
        write_json(RESULT, result([*{**kept, **{one["task"]: one for one in found}}.values()]))


def ask_peers(asked: Row, folder: Path, python: str) -> None:
    """Writes the question and has the peers' environment answer it."""
    folder.mkdir(parents=True, exist_ok=True)
    task = asked.examples.task
    (target,) = task.targets
    if not (folder / "question.json").exists():
        arrays = {}
        for part in ("train", "valid", "calibrate", "test"):
            batch = read_all(task.splits[part])
            feature = task.targets[target]
            truth = batch[target]
            scaled = truth if task.kind == "classify" else (truth - feature.center) / feature.scale
            arrays[f"{part}/target"] = scaled
            for name in task.inputs:
                arrays |= {f"{part}/{key}": batch[key] for key in (name, mask_key(name)) if key in batch}
        np.savez(folder / "arrays.npz", **arrays)
        write_json(folder / "question.json", question(asked))
    subprocess.run([python, str(FITS), str(folder)], check=True)


def question(asked: Row) -> dict[str, Any]:
    """What the peers are told."""
    task = asked.examples.task
    kinds = {feature.kind for feature in task.inputs.values()}
    points = {}
    for name, own in OWN.items():
        if name in NOT_FOR[task.kind] or (name in VECTORS_ONLY and kinds != {"vector"}):
            continue
        space = Space({**SHARED, **own.parameters})
        usual = {key: getattr(asked.fit, key) for key in SHARED} | {k: FIRST[k] for k in own.parameters}
        # the same rates and decays for all methods, so that those that share a fit can
        drawn = [space.sample(stream(0, "peers", point)) for point in range(1, NUM_POINTS)]
        points[name] = [usual, *drawn]
    return {
        "kind": task.kind,
        "target": next(iter(task.targets)),
        "spec": asked.spec.to_json(),
        "dropped": with_dropout(asked.spec, 0.1).to_json(),
        "fit": asked.fit.to_json(),
        "points": points,
        "seeds": list(SEEDS),
        "tuning_seed": TUNING_SEED,
    }


def compared(asked: Row, folder: Path, grid: Path) -> dict[str, Any]:
    """The row of a task: the best of each side, how far they are apart, and where equal methods agree."""
    task, chosen = asked.examples.task, read_json(folder / "chosen.json")
    peers = {name: peer_scores(asked, folder, name, one) for name, one in chosen.items() if "point" in one}
    theirs = min((name for name in peers if name != LINEAR), key=lambda name: peers[name]["valid"])
    ours, settings, num_methods, by = our_best(asked, folder, grid)
    own = our_fits(asked, folder, ours, settings, "tuned")["losses"]
    difference = own - peers[theirs]["losses"]
    low, high = interval_of(difference)
    points = read_json(folder / "question.json")["points"]
    same = [
        agreement(asked, folder, peer, points[peer][chosen[peer]["point"]], peers[peer]["losses"])
        for peer in SAME[task.kind]
        if peer in peers
    ]
    means = {name: float(one["losses"].mean()) for name, one in peers.items()}
    return {
        "task": asked.task,
        "ours": ours,
        "ours_of": num_methods,
        "chosen_by": by,
        "ours_nll": float(own.mean()),
        "peer": theirs,
        "peer_of": len(peers) - (LINEAR in peers),
        "peer_nll": means[theirs],
        "ours_minus_peer": float(difference.mean()),
        "interval": [low, high],
        "verdict": verdict(low, high),
        "linear_nll": means.get(LINEAR),
        "nll_of_peers": ", ".join(f"{name} {mean:.4g}" for name, mean in means.items() if name != LINEAR),
        "left_out": ", ".join(name for name, one in chosen.items() if "failed" in one) or None,
        "same_methods_agree": f"{sum(one['agree'] for one in same)} of {len(same)}",
        "same_methods": "; ".join(one["text"] for one in same),
    }


def our_best(asked: Row, folder: Path, grid: Path) -> tuple[str, MethodSettings, int, str]:
    """Our best method on validation data, its settings, of how many, and what says so.

    Until the grid has cells of every method, the best few of the tuning seed are fitted here.
    """
    cells = complete(cells_in(grid / f"{asked.task}.jsonl"))
    finished = {name: summary(one) for name, one in cells.items() if len(one) >= len(SEEDS)}
    # what has quantiles alone is tuned by another measure
    tuned = {
        name: asked.known(name)["valid"]
        for name in asked.methods
        if name != "quantile" and asked.known(name).get("valid") is not None
    }
    if set(tuned) <= set(finished):
        best = best_method(finished)
        assert best is not None, f"no method of ours has been fitted on {asked.task}"
        return best, MethodSettings.from_json(cells[best][0]["settings"]), len(finished), "all cells"
    few = sorted(tuned, key=lambda name: tuned[name])[:NUM_FEW]
    settings = {name: settings_at(asked.known(name)["point"], asked.fit) for name in few}
    valid = {name: our_fits(asked, folder, name, settings[name], "tuned")["valid"] for name in few}
    best = min(few, key=lambda name: valid[name])
    return best, settings[best], len(tuned), f"the {NUM_FEW} best of the tuning seed"


def peer_scores(asked: Row, folder: Path, method: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The nll of every test example by seed, and the mean of those of validation examples."""
    (target,), tests, valid = asked.examples.task.targets, [], []
    for seed in SEEDS:
        with np.load(folder / "said" / f"{method}-{chosen['point']}-{seed}.npz") as said:
            for part, found in (("valid", valid), ("test", tests)):
                truth = read_all(asked.examples.task.splits[part])[target]
                found.append(losses(what_was_said(asked, said, part), truth))
    return {"losses": np.array(tests), "valid": float(np.mean(valid))}


def what_was_said(asked: Row, said: Any, part: str) -> Said | SaidValues:
    """A peer's answers as those of our methods."""
    (feature,) = asked.examples.task.targets.values()
    if asked.examples.task.kind == "classify":
        return said_of(said[f"{part}/probabilities"])
    mean, deviation = (said[f"{part}/{name}"] for name in ("mean", "deviation"))
    return SaidValues(mean * feature.scale + feature.center, deviation * feature.scale)


def our_fits(asked: Row, folder: Path, method: str, settings: MethodSettings, name: str) -> dict[str, Any]:
    """The nll of every test example by seed, and the mean of those of validation examples; kept."""
    path = folder / f"ours-{method}-{name}.npz"
    if not path.exists():
        found: dict[str, list[np.ndarray]] = {"valid": [], "test": []}
        for seed in SEEDS:
            with temporary_run(seed=seed) as run:
                fitted = fit_method(asked.examples, asked.spec, method, settings, run=run, seed=seed)
                for part, kept in found.items():
                    source = getattr(asked.examples, part)
                    kept.append(losses(*said_of_source(fitted.say, asked.examples.task, source)))
        np.savez(path, **{part: np.array(kept) for part, kept in found.items()})
    with np.load(path) as kept:
        return {"losses": kept["test"], "valid": float(kept["valid"].mean())}


def agreement(
    asked: Row, folder: Path, peer: str, point: Mapping[str, float], theirs: np.ndarray
) -> dict[str, Any]:
    """The same method of both sides at the peer's point: nll over seeds, and whether they differ."""
    method = SAME[asked.examples.task.kind][peer]
    shared = {name: value for name, value in point.items() if name in (*SHARED, *METHODS[method].defaults)}
    own = our_fits(asked, folder, method, settings_at(shared, asked.fit), "at-the-peers-point")["losses"]
    apart = t_interval(own.mean(axis=1) - theirs.mean(axis=1))
    agrees = bool(apart.low <= 0 <= apart.high)
    numbers = f"{own.mean():.4g} and {theirs.mean():.4g}, {apart.low:.3g} to {apart.high:.3g}"
    return {"agree": agrees, "text": f"{method} {numbers}{'' if agrees else ', do not agree'}"}


def interval_of(difference: np.ndarray) -> tuple[float, float]:
    """95 % interval of the mean, seeds and examples drawn again (Owen 2007, the pigeonhole bootstrap)."""
    generator = stream(0, "peers", "interval")
    num_seeds, num_examples = difference.shape
    means = np.empty(NUM_RESAMPLES)
    for index in range(NUM_RESAMPLES):
        seeds = np.bincount(generator.integers(0, num_seeds, num_seeds), minlength=num_seeds)
        examples = np.bincount(generator.integers(0, num_examples, num_examples), minlength=num_examples)
        means[index] = seeds @ difference @ examples / (num_seeds * num_examples)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def verdict(low: float, high: float) -> str:
    """Who is better, where that is beyond chance."""
    if high < 0:
        return "ours is better"
    return "the peer is better" if low > 0 else "no difference beyond chance"


def result(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """What is written."""
    verdicts = [one["verdict"] for one in tasks]
    same = np.array([[int(part) for part in one["same_methods_agree"].split(" of ")] for one in tasks]).sum(0)
    return {
        "benchmark": "question_uncertainty_peers",
        "unit": "nll of test examples in nats, means over seeds 0 to 2; differences are ours less the peer's",
        "bar": "on no task is the peer better beyond chance; equal methods agree within the seed interval",
        "command": "python benchmarks/question_uncertainty_peers.py --python PEERS_PYTHON",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread",
        "torch": torch.__version__,
        "peers": "torch-uncertainty 0.13.0, laplace-torch 0.3, scikit-learn 1.9.1",
        "date": time.strftime("%Y-%m-%d"),
        "tasks_where_ours_is_better": verdicts.count("ours is better"),
        "tasks_without_difference": verdicts.count("no difference beyond chance"),
        "tasks_where_the_peer_is_better": verdicts.count("the peer is better"),
        "same_methods_that_agree": f"{same[0]} of {same[1]}",
        "tasks": tasks,
    }


if __name__ == "__main__":
    main()
