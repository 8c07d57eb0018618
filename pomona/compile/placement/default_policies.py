"""What is decided by rule where nobody decides: an order, and what is fused."""

import numpy as np
from jaxtyping import Float64

from pomona.compile.placement.fusion import fuse
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.compile.placement.simulator.ranks import upward_rank

SMALLER = 0.75
"""The share of all outputs that count as smaller ones."""


def completed(problem: Problem, plan: Plan, decided: tuple[str, ...]) -> Plan:
    """The plan's placement with the quickest of the usual orders and fusions, where these may be decided.

    Orders: the plan's own, program order, and the longest way to the end first. Fusions: none; each producer
    with its consumers, the largest output first; the same only where one operation alone reads the output, or
    only for smaller outputs, which take less memory. What is not decided is as frameworks have it: program
    order, nothing fused.
    """
    orders = [program_order(problem)]
    if "scheduling" in decided:
        orders = [plan.priority, *orders, upward_rank(problem, plan.device)]
    clusters = [np.arange(problem.graph.num_nodes, dtype=np.int32)]
    if "fusion" in decided:
        clusters += [fuse(problem, plan.device, one) for one in _fusion_priorities(problem)]
    plans = [Plan(plan.device, order, cluster) for cluster in clusters for order in orders]
    scores = evaluate(
        problem,
        np.stack([one.device for one in plans]),
        np.stack([one.priority for one in plans]),
        np.stack([one.cluster for one in plans]),
    )
    times = np.where(scores.is_valid, scores.step_us, np.inf)
    # where none fits, the one that comes nearest to the memory there is
    over = (scores.peak_bytes / problem.memory_bytes).max(axis=1)
    return plans[int(np.argmin(times)) if scores.is_valid.any() else int(np.argmin(over))]


def _fusion_priorities(problem: Problem) -> list[Float64[np.ndarray, " node"]]:
    graph = problem.graph
    size = graph.output_bytes
    made = size[(size > 0) & ~graph.is_stored]
    has_one_reader = np.diff(problem.consumers_of.starts) == 1
    is_small = size <= (np.quantile(made, SMALLER) if len(made) else 0.0)
    return [size, *(np.where(chosen, size, -1.0) for chosen in (has_one_reader, is_small))]


def program_order(problem: Problem) -> Float64[np.ndarray, " node"]:
    """The priority of frameworks that run what comes first in the program."""
    return -np.arange(problem.graph.num_nodes, dtype=np.float64)
