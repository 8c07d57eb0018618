"""NePS as a rival of search_real.py: it asks in its own environment, networks are trained in ours.

Its space is that of the search as far as a flat one can say it: up to five blocks of any kind and width
behind the usual network's front end, and all of the training technique.
"""

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from pomona.find.search import SearchSettings, edits
from pomona.find.search.budgets import refusal, shrink_to_fit
from pomona.find.search.genome import Genome
from pomona.find.search.mutate import is_sound
from pomona.find.search.problem import Problem, make_problem
from pomona.find.search.starting import DEPTHS, bare
from pomona.find.search.training import fresh_name, train, valid_values
from pomona.fit.evaluate import evaluate
from pomona.fit.trials.space import Choice
from pomona.foundation.run import Run
from pomona.networks.blocks import BLOCKS
from pomona.networks.build import build
from pomona.networks.cost import parameters
from pomona.networks.shapes import signals
from pomona.networks.spec import Block, Spec
from pomona.tasks.task import Task

NOTHING = "nothing"

ASKING = Path(__file__).parent / "peers" / "neps_ask.py"


def neps_search(task: Task, settings: SearchSettings, run: Run, peer: str) -> dict[str, Any]:
    """The trials that NePS asked for, and the test score of its best one, trained again."""
    problem = make_problem(task, settings, BLOCKS)
    usual = shrink_to_fit(problem.usual, problem, run)
    trials: list[dict[str, Any]] = []
    genomes: list[Genome] = []
    with tempfile.TemporaryDirectory() as folder:
        question = {
            "space": flat_space(problem),
            "trials": settings.trials,
            "seed": run.seed,
            "folder": folder,
        }
        process = subprocess.Popen(
            [peer, str(ASKING), json.dumps(question)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        for line in process.stdout:
            genomes.append(genome_of(json.loads(line), usual, problem, run))
            trials.append(tried(genomes[-1], len(trials), problem, run))
            process.stdin.write(json.dumps(trials[-1]["valid"] or 0.0) + "\n")
            process.stdin.flush()
        if process.wait() or not trials:
            raise RuntimeError(f"NePS ended with {process.returncode} after {len(trials)} trials")
    best = max(range(len(trials)), key=lambda place: trials[place]["valid"] or 0.0)
    scores = [tested(genomes[best], seed, problem, run) for seed in range(1, settings.finalist_seeds + 1)]
    return {
        "test": float(np.mean(scores)),
        "test_of_seeds": scores,
        "parameters": parameters(genomes[best].spec),
        "trials": trials,
    }


def flat_space(problem: Problem) -> dict[str, dict[str, Any]]:
    """The space as NePS can take it: options by name, or the ends of a range."""
    palette = problem.palette
    kinds = [name for name in palette.allowed if palette.blocks[name].role == "body"]
    space: dict[str, dict[str, Any]] = {}
    for place in range(DEPTHS[1]):
        space[f"block{place}"] = {"options": [NOTHING, *kinds]}
        space[f"width{place}"] = {"options": [8, 16, 32, 64]}
    for name, parameter in problem.techniques.parameters.items():
        if isinstance(parameter, Choice):
            space[name] = {"options": list(parameter.options)}
        else:
            space[name] = {"low": parameter.low, "high": parameter.high, "log": parameter.log}
    return space


def genome_of(answers: dict[str, Any], usual: Spec, problem: Problem, run: Run) -> Genome:
    """The network that some answers name; a block that fits nowhere, or is over a limit, is left out."""
    spec = bare(usual, problem.palette)
    for place in range(DEPTHS[1]):
        kind, width = answers[f"block{place}"], answers[f"width{place}"]
        if kind != NOTHING:
            spec = with_block(spec, kind, width, problem, run)
    return Genome(spec, {name: answers[name] for name in problem.techniques.parameters})


def with_block(spec: Spec, kind: str, width: int, problem: Problem, run: Run) -> Spec:
    """With one more block as late in the network as it fits."""
    palette = problem.palette
    args = {"width": width} if "width" in palette.blocks[kind].choices else {}
    known = signals(spec, blocks=palette.blocks)
    for source in reversed([*spec.inputs, *(block.id for block in spec.blocks)]):
        if kind not in palette.kinds_for(known[source]) or source in spec.outputs.values():
            continue
        block = Block(edits.new_id(spec, kind), kind, args, (source,))
        longer = edits.insert_after(spec, source, [block])
        if (
            is_sound(longer, palette)
            and problem.is_possible(longer)
            and refusal(longer, problem, run) is None
        ):
            return longer
    return spec


def tried(genome: Genome, number: int, problem: Problem, run: Run) -> dict[str, Any]:
    """The record of a trial; a training that fails has no score."""
    start = time.monotonic()
    result = train(genome, problem, run, name=f"neps-{number}")
    valid = None if result.failed else valid_values(result, problem)[problem.yardstick.metric]
    seconds = time.monotonic() - start
    return {"state": "completed", "seed": 0, "valid": valid, "seconds": seconds, "steps": result.steps}


def tested(genome: Genome, seed: int, problem: Problem, run: Run) -> float:
    """The test score of one more training, as long as that of a finalist."""
    result = train(
        genome, problem, run, name=fresh_name("neps", seed), factor=problem.settings.finalist_steps
    )
    network = build(genome.spec, 0)
    network.load_state_dict(result.state)
    return evaluate(network, problem.task, "test", seed=seed)[problem.yardstick.metric]
