"""A whole network for a task: a body for every input, a join of several, a head for every target."""

from collections.abc import Mapping

from pomona.networks.bodies.layers import Body, Goal
from pomona.networks.heads import READS, head_block, vector_head_block
from pomona.networks.shapes import signals
from pomona.networks.signal import Signal, signal_of
from pomona.networks.spec import Block, Spec
from pomona.tasks.feature import Feature
from pomona.tasks.task import Task

JOINED_WIDTH = 128
SPREAD_WIDTH = 32

GOALS: dict[str, Goal] = {"segment": "pixels", "sequence": "steps", "language": "next", "forecast": "horizon"}
"""Kind of task → what its bodies give; a vector where it is not named."""

SERVES: dict[Goal, tuple[str, ...]] = {
    "vector": ("image", "audio", "series", "vector", "tokens"),
    "horizon": ("audio", "series", "tokens"),
    "steps": ("audio", "series", "tokens"),
    "next": ("series", "tokens"),
    "pixels": ("image",),
}
"""Goal → kinds of input that have a place for every answer; the others give a vector."""


def compose(body: Body, task: Task) -> Spec:
    """The network with this body for every input and a head for every target of `task`.

    Where a target has an answer at every step or pixel, the first input that has steps or pixels leads; the
    others become vectors that every place sees. Raises SpecError when the body cannot serve the task.
    """
    goals = _goals(task)
    prefix = _unused_prefix(body, task, goals)
    bodies = _bodies(body, task, goals, prefix)
    blocks = [block for part in bodies for block in part]
    ends = [part[-1].id for part in bodies]
    if len(ends) > 1:
        blocks += _joined(_signals(task.inputs, blocks), ends, prefix)
    last, signal = blocks[-1].id, _signals(task.inputs, blocks)[blocks[-1].id]
    leading = next(iter(goals))
    outputs = {}
    for index, (name, target) in enumerate(task.targets.items()):
        head = f"{prefix}head" if len(task.targets) == 1 else f"{prefix}head{index + 1}"
        blocks += _headed(task.kind, target, signal, last, head)
        if goals[leading] == "horizon" and task.inputs[leading].kind == "series":
            blocks += _beside_linear(target, leading, head)
        outputs[name] = blocks[-1].id
    return Spec(dict(task.inputs), tuple(blocks), outputs)


def _goals(task: Task) -> dict[str, Goal]:
    """Input → what its body gives, the leading input first."""
    wanted = GOALS.get(task.kind, "vector")
    kinds = {name: signal_of(feature).kind for name, feature in task.inputs.items()}
    leading = next((name for name, kind in kinds.items() if kind in SERVES[wanted]), None)
    others: dict[str, Goal] = {name: "vector" for name in kinds if name != leading}
    return others if leading is None else {leading: wanted, **others}


def _joined(known: Mapping[str, Signal], ends: list[str], prefix: str) -> list[Block]:
    """The ends side by side, vectors spread over steps or pixels of the first, then one layer over all."""
    lead = known[ends[0]]
    sources, blocks = [ends[0]], []
    for index, end in enumerate(ends[1:]):
        if lead.kind == "vector":
            sources.append(end)
            continue
        place = (SPREAD_WIDTH, 1, 1) if lead.kind == "image" else (1, SPREAD_WIDTH)
        size = lead.shape[1:] if lead.kind == "image" else lead.shape[:1]
        spread, resized = f"{prefix}spread{index + 1}", f"{prefix}places{index + 1}"
        blocks.append(Block(spread, "head", {"shape": place}, (end,)))
        blocks.append(Block(resized, "resize", {"shape": size}, (spread,)))
        sources.append(resized)
    blocks.append(Block(f"{prefix}join", "concatenate", {}, tuple(sources)))
    layer = "convolution" if lead.kind == "image" else "dense"
    width = JOINED_WIDTH if lead.kind == "vector" else lead.width
    blocks.append(Block(f"{prefix}joined", layer, {"width": width}, (f"{prefix}join",)))
    return blocks


def _headed(kind: str, target: Feature, signal: Signal, source: str, head: str) -> list[Block]:
    if signal.kind == "vector":
        return [vector_head_block(kind, target, source, head)]
    if READS[kind] == "series" and signal.shape[0] != target.shape[0]:
        resized = Block(f"{head}_resize", "resize", {"shape": target.shape}, (source,))
        return [resized, head_block(kind, target, resized.id, head)]
    return [head_block(kind, target, source, head)]


def _beside_linear(target: Feature, past: str, head: str) -> list[Block]:
    """The forecast of `head` plus a linear one of the whole past, hard to beat alone (Zeng et al. 2022)."""
    return [
        Block(f"{head}_past", "flatten", {}, (past,)),
        vector_head_block("forecast", target, f"{head}_past", f"{head}_linear"),
        Block(f"{head}_sum", "add", {}, (head, f"{head}_linear")),
    ]


def _signals(inputs: Mapping[str, Feature], blocks: list[Block]) -> dict[str, Signal]:
    return signals(Spec(inputs, tuple(blocks), {"": blocks[-1].id}))


def _bodies(body: Body, task: Task, goals: Mapping[str, Goal], prefix: str) -> list[list[Block]]:
    starts = [prefix] if len(goals) == 1 else [f"{prefix}in{index + 1}_" for index in range(len(goals))]
    return [
        body(signal_of(task.inputs[name]), name, goal, start)
        for (name, goal), start in zip(goals.items(), starts, strict=True)
    ]


def _unused_prefix(body: Body, task: Task, goals: Mapping[str, Goal]) -> str:
    """The shortest start of ids with which no block is called like an input."""
    prefix = ""
    while True:
        ids = {block.id for part in _bodies(body, task, goals, prefix) for block in part}
        own = ("join", "head", "spread", "places")
        if not any(
            name in ids or name.startswith(tuple(prefix + word for word in own)) for name in task.inputs
        ):
            return prefix
        prefix = prefix + "_" if prefix else "net_"
