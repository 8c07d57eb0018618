"""Limits that a model must keep to, checked before it is trained."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pomona.export.example import random_batch
from pomona.export.exported_latency import exported_latency
from pomona.find.search.genome import Genome
from pomona.find.search.problem import Problem
from pomona.fit.trials.trial import Trial
from pomona.foundation.errors import MissingExtraError, SettingError, SpecError
from pomona.foundation.run import Run
from pomona.networks.build import build
from pomona.networks.cost import parameters
from pomona.networks.hashing import spec_hash
from pomona.networks.shapes import signals
from pomona.networks.spec import Spec

SHARES = tuple(share for half in range(12) for share in (0.75 / 2**half, 0.5 / 2**half))
"""Of the widths of the usual network, tried in turn until one keeps to the limits."""


def refusal(spec: Spec, problem: Problem, run: Run) -> str | None:
    """Why a network is over a limit; None when it keeps to all of them.

    The latency is that of the untrained network, exported; training does not change it. It hangs on a clock,
    so it is a logged decision.
    """
    size = parameters(spec, blocks=problem.palette.blocks)
    most = problem.settings.max_params
    if most is not None and size > most:
        return f"{size} parameters, more than {most}"
    longest = problem.settings.max_latency_ms
    if longest is not None:
        measured = measured_latency(spec, problem, run)
        if measured > longest:
            return f"{measured:.3g} ms for one example, more than {longest:g}"
    return None


def measured_latency(spec: Spec, problem: Problem, run: Run) -> float:
    """Milliseconds for one example of the exported network on one thread, measured once a network."""
    key = spec_hash(spec, blocks=problem.palette.blocks)
    return run.decide("latency", key, lambda: _exported_latency(spec, problem))


def known_latencies(trials: Sequence[Trial], problem: Problem, run: Run) -> dict[int, float]:
    """Number of a trial → milliseconds for one example of its exported network, where it can be exported."""
    found = {}
    for trial in trials:
        try:
            found[trial.number] = measured_latency(Genome.from_json(trial.genome).spec, problem, run)
        except (SpecError, MissingExtraError):
            continue
    return found


def shrink_to_fit(spec: Spec, problem: Problem, run: Run) -> Spec:
    """The widest of `spec` that keeps to the limits, its widths times 1, 3/4, 1/2, 3/8 and so on;
    SettingError when even the narrowest does not.
    """
    reason = refusal(spec, problem, run)
    if reason is None:
        return spec
    for share in SHARES:
        narrower = _narrowed(spec, problem, share)
        if narrower is None:
            continue
        reason = refusal(narrower, problem, run)
        if reason is None:
            return narrower
    raise SettingError(
        f"even the smallest form of the usual network has {reason}: allow more, or give fewer inputs"
    )


def _exported_latency(spec: Spec, problem: Problem) -> float:

    example = random_batch(spec.inputs, 2, generator=np.random.default_rng(0))
    network = build(spec, 0, blocks=problem.palette.blocks)
    return exported_latency(network, example).median_ms


def _narrowed(spec: Spec, problem: Problem, share: float) -> Spec | None:
    """With every width times `share`, rounded down and at least 1; None where that is no network."""
    blocks = []
    for block in spec.blocks:
        kind = problem.palette.blocks[block.block]
        known = problem.palette.arguments(block)
        blocks.append(block.with_args(**{name: max(1, int(share * known[name])) for name in kind.widens}))
    narrower = replace(spec, blocks=tuple(blocks))
    try:
        signals(narrower, blocks=problem.palette.blocks)
    except SpecError:
        return None
    return narrower
