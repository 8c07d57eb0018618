"""What a search is about: the task, what networks are made of and trained with, how they are compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pomona.find.search.palette import Palette, make_palette
from pomona.find.search.settings import SearchSettings
from pomona.find.search.techniques import technique_space, usual_technique
from pomona.find.search.yardstick import Yardstick, yardstick_of
from pomona.fit.objectives import check_heads
from pomona.fit.trials.space import Point, Space
from pomona.fit.trials.strategies import METHODS
from pomona.foundation.errors import SpecError, unknown_name
from pomona.networks.block_kind import BlockKind
from pomona.networks.catalogue import NETWORKS
from pomona.networks.cost import flops, recurrent_steps
from pomona.networks.default import default_spec
from pomona.networks.hashing import spec_hash
from pomona.networks.named import named_spec
from pomona.networks.shapes import signals
from pomona.networks.spec import Spec
from pomona.tasks.task import Task

FEWEST_STEPS, MOST_STEPS = 150, 1500
PASSES = 32
USUAL_BATCH = 64

LONG = 1024
"""Steps of recurrences one after another that any model may have: an LSTM over some thousands of tokens takes
minutes where as much computation done at once takes seconds."""

WHOLE = "network"
"""The block that is a whole network."""

# Optuna's estimator wants named parameters, which a network is not
STRATEGIES = {name: strategy for name, strategy in METHODS.items() if name != "tpe"}


@dataclass(frozen=True)
class Problem:
    """Everything that stays the same during a search.

    `steps` is what a model trains that starts from nothing, counted in batches of 64; `max_flops` the limit
    of computation for one example, `max_recurrent_steps` that of steps which wait for one another.
    """

    task: Task
    settings: SearchSettings
    palette: Palette
    techniques: Space
    yardstick: Yardstick
    usual: Spec
    usual_technique: Point
    steps: int
    max_flops: float
    max_recurrent_steps: float
    networks: Mapping[str, Spec] = field(default_factory=dict)
    """Whole networks by name; where there are any, models are these and no others."""

    def is_possible(self, spec: Spec) -> bool:
        """Whether every head gives what the task wants, and one example costs no more than the limits."""
        blocks = self.palette.blocks
        known, wanted = signals(spec, blocks=blocks), signals(self.usual, blocks=blocks)
        for head, block_id in spec.outputs.items():
            # a shorter series or smaller image would not fit its target
            if known[block_id].shape != wanted[self.usual.outputs[head]].shape:
                return False
        if recurrent_steps(spec, blocks=blocks) > self.max_recurrent_steps:
            return False
        return flops(spec, blocks=blocks) <= self.max_flops


def make_problem(task: Task, settings: SearchSettings, blocks: Mapping[str, BlockKind]) -> Problem:
    """The problem of finding a network for `task`. Raises SettingError for unknown kinds of blocks or an
    unknown strategy."""
    if settings.method not in STRATEGIES:
        raise unknown_name("strategy", settings.method, STRATEGIES)
    usual = default_spec(task)
    # in a language model no step may see the token that it is to tell
    palette = make_palette(blocks, settings.blocks_allowed, is_causal=task.kind == "language")
    return Problem(
        task,
        settings,
        palette,
        technique_space(task, teach=settings.teach),
        yardstick_of(task),
        usual,
        usual_technique(task, teach=settings.teach),
        settings.steps or usual_steps(task),
        settings.growth * flops(usual, blocks=blocks),
        max(LONG, settings.growth * recurrent_steps(usual, blocks=blocks)),
        whole_networks(task, settings, blocks),
    )


def whole_networks(task: Task, settings: SearchSettings, blocks: Mapping[str, BlockKind]) -> dict[str, Spec]:
    """The whole networks that a search is to train as they are, by name; of equal ones the first.

    They are those of `networks`, or, when nothing but the block `network` is allowed, all that Pomona has for
    the task. Raises SettingError for an unknown name, and SpecError for one that cannot serve the task.
    """
    is_all = not settings.networks and set(settings.blocks_allowed) == {WHOLE}
    found: dict[str, tuple[str, Spec]] = {}
    for name in NETWORKS if is_all else settings.networks:
        try:
            spec = named_spec(name, task)
            check_heads(task, spec)
        except SpecError:
            if is_all:
                continue
            raise
        found.setdefault(spec_hash(spec, blocks=blocks), (name, spec))
    return dict(found.values())


def usual_steps(task: Task) -> int:
    """Steps for a model that starts from nothing: some thirty passes, within limits."""
    size = task.splits["train"].size
    passes = PASSES * -(-size // USUAL_BATCH) if size else MOST_STEPS
    return min(max(passes, FEWEST_STEPS), MOST_STEPS)
