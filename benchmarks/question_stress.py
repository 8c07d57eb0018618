"""Is underspecification found where it is, and only there, and what does asking cost?

    python benchmarks/question_stress.py [--parts null,planted,cost,corruptions] [--models 50]

null         200 made-up cases without underspecification, of four kinds: a case is a false alarm when any of
             its stresses is called underspecified. At most 16 are what a level of 5 % allows.
planted      the task two-cues: the clean spread is small, on `conflict` the seed decides.
cost         seconds of 50 trainings at once, by those of one alone and by those of 50 in turn.
corruptions  50 models on the 19 corruptions at 5 severities of 2,000 images.

A part that was measured is kept in benchmarks/results/question_stress.json; `--again` measures it anew.
Prints one JSON line.
"""

import argparse
import os
import platform
import time
from pathlib import Path

import numpy as np
import torch

from pomona.fit.members import fit_population
from pomona.fit.settings import FitSettings
from pomona.fit.subject import Subject
from pomona.foundation.files import read_json, to_json, write_json
from pomona.foundation.randomness import stream
from pomona.foundation.run import temporary_run
from pomona.networks.build import build
from pomona.networks.heads import head_block
from pomona.networks.named import named_spec
from pomona.networks.spec import Block, Spec
from pomona.question.stress.command import stress
from pomona.question.stress.scores import BATCH_SIZE, scores
from pomona.question.stress.statistics.finding import findings
from pomona.question.stress.statistics.resamples import resamples
from pomona.question.stresses.corruptions.family import corruptions
from pomona.tasks.load import load_task
from pomona.tasks.source import SubsetSource
from pomona.tasks.task import Task

RESULT = Path(__file__).parent / "results" / "question_stress.json"
NUM_CASES = 200
NUM_IMAGES = 2000
SPLITS_APART = 18

NETWORK_KINDS = (
    # kind, task, named network, or None for the smallest
    ("dense of 32", "two-cues", None),
    ("dense, residual of 128", "two-cues", "default"),
    ("convolutional", "digits", "default"),
    ("recurrent", "tagged-words", "recurrent"),
    ("transformer", "tagged-words", "transformer"),
)

NULLS = (
    # kind, examples of the stress, its mean score, seed deviation in logits: clean and stress
    ("luck alone, few examples", 80, 0.7, 0.1, 0.0),
    ("luck alone, no seed effect at all", 200, 0.8, 0.0, 0.0),
    ("the seed decides as much as on clean", 1000, 0.95, 0.3, 0.3),
    ("as much in logits, at a lower score", 1000, 0.6, 0.3, 0.3),
)


def main() -> None:
    """Measures the parts asked for and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--again", action="store_true")
    wanted = parser.parse_args()
    kept = read_json(RESULT) if RESULT.exists() else {}
    for name in wanted.parts.split(","):
        if wanted.again or name not in kept:
            kept[name] = PARTS[name](wanted.models)
            write_json(RESULT, header(wanted.models) | {part: kept[part] for part in PARTS if part in kept})
    print(to_json(read_json(RESULT)))


def header(num_models: int) -> dict:
    """What stands above the parts."""
    return {
        "benchmark": "question_stress",
        "unit": "false alarms of 200, found or not, times of one training, seconds",
        "bar": "at most 16 alarms; found; at most 0.9 of 50 in turn; at most 1200 s",
        "command": f"python benchmarks/question_stress.py --models {num_models}",
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, trainings in one thread, scores in all",
        "date": time.strftime("%Y-%m-%d"),
    }


def null_cases(num_models: int) -> dict:
    """False alarms over NUM_CASES simulated cases of three stresses each."""
    alarms: dict[str, int] = {}
    for case in range(NUM_CASES):
        generator = stream(0, "null case", case)
        kind, examples, mean, clean_sd, stress_sd = NULLS[case % len(NULLS)]
        clean = drawn(generator, num_models, 1000, 0.97, clean_sd)
        stresses = {f"{k}": drawn(generator, num_models, examples, mean, stress_sd) for k in range(3)}
        draws = resamples(num_models, 1000, seed=case, number=200)
        found = findings(clean, stresses, dict.fromkeys(stresses), draws, is_share=True)
        alarms[kind] = alarms.get(kind, 0) + any(one.is_underspecified for one in found)
    return {"cases": NUM_CASES, "alarms": sum(alarms.values()), **alarms}


def drawn(
    generator: np.random.Generator, models: int, examples: int, mean: float, seed_sd: float
) -> np.ndarray:
    """Right answers of models whose logits differ by `seed_sd`, on examples of unlike difficulty."""
    logits = np.log(mean / (1 - mean)) + 1.5 * generator.standard_normal(examples)
    logits = logits + seed_sd * generator.standard_normal((models, 1))
    return (generator.random((models, examples)) < 1 / (1 + np.exp(-logits))).astype(np.float64)


def planted(num_models: int) -> dict:
    """What `pomona stress two-cues` says of the split on which the cues part."""
    with temporary_run() as run:
        result = stress(
            "two-cues", models=num_models, steps=200, keep="last", out=run.folder / "stress", quiet=True
        )
    conflict = result["stress"]["conflict"]
    return {
        "found": "conflict" in result["underspecified"],
        "clean_sd": result["clean"]["sd"],
        "stress_sd": conflict["sd"],
        "sd_by_sd": conflict["sd"] / result["clean"]["sd"],
        "ratio_low": conflict["ratio_interval"][0],
        "p_adjusted": conflict["p_adjusted"],
        "others_found": len(result["underspecified"]) - 1,
        "stresses": len(result["stress"]),
    }


def cost(num_models: int) -> dict:
    """Seconds of one training, of all at once, and what that is by one and by all in turn."""
    found = {}
    for kind, task_name, network in NETWORK_KINDS:
        task = load_task(task_name)
        spec = small_dense(task) if network is None else named_spec(network, task)

        def seconds(seeds: list[int], steps: int, task=task, spec=spec) -> float:
            began = time.perf_counter()
            fit_population(task, spec, FitSettings(steps=steps, keep="last", evaluate_every=1000), seeds)
            return time.perf_counter() - began

        seconds([0], 5)
        # the first steps choose how the population is run; they are paid once
        one = seconds([0], 60) - seconds([0], 10)
        many = seconds(list(range(num_models)), 60) - seconds(list(range(num_models)), 10)
        found[f"{kind}: times_of_one"] = many / one
        found[f"{kind}: share_of_in_turn"] = many / one / num_models
    return found


def small_dense(task: Task) -> Spec:
    """Two layers of 32: the size at which calls, not products, are what a step costs."""
    (source,), ((name, target),) = task.inputs, task.targets.items()
    blocks = (
        Block("first", "dense", {"width": 32}, (source,)),
        Block("second", "dense", {"width": 32}, ("first",)),
        head_block(task.kind, target, "second", "head"),
    )
    return Spec(task.inputs, blocks, {name: "head"})


def corrupted(num_models: int) -> dict:
    """Seconds to make and score corrupted images of MNIST's size, models untrained, on all cores.

    Every SPLITS_APART-th split is measured, after a batch for which is chosen how models are run, and the
    others are taken to cost as much. Processor seconds by threads are the time on the clock of a machine that
    does nothing else.
    """
    task = load_task("mnist")
    clean = task.splits["test"]
    few = SubsetSource(clean, np.arange(NUM_IMAGES))  # type: ignore[arg-type]
    limited = type(task)(**{**vars(task), "splits": {**task.splits, "test": few}})
    spec = named_spec("convolution", task)
    states = [build(spec, seed).state_dict() for seed in range(num_models)]
    state = {name: torch.stack([one[name] for one in states]) for name in states[0]}
    subject = Subject(limited, spec, FitSettings(), "mnist", None)
    splits = corruptions(limited, 0)
    began = time.perf_counter()
    with temporary_run(threads=os.cpu_count()) as run:
        measured = list(splits.values())[::SPLITS_APART]
        scores(subject, state, SubsetSource(few, np.arange(BATCH_SIZE)), run=run)
        choosing, began, began_cpu = time.perf_counter() - began, time.perf_counter(), time.process_time()
        for source in measured:
            scores(subject, state, source, run=run)  # type: ignore[arg-type]
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
    scale = len(splits) / len(measured)
    return {
        "splits": len(splits),
        "splits_measured": len(measured),
        "images": NUM_IMAGES,
        "threads": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "seconds_a_split": seconds / len(measured),
        "seconds_all": seconds * scale + choosing,
        "processor_seconds_by_threads": cpu_seconds * scale / (os.cpu_count() or 1),
    }


PARTS = {"null": null_cases, "planted": planted, "cost": cost, "corruptions": corrupted}


if __name__ == "__main__":
    main()
