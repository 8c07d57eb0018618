"""Long sequences: what sparse attention reaches that a window does not (Zaheer et al. 2020).

`python benchmarks/long_sequences.py` runs the comparison and takes a quarter of an hour on one core of a
laptop, most of it for nine small networks. Expected: needles in 1,024 tokens with blocks of 16 found in
100 % of all cases by full attention and by BigBird, in 12.5 % (chance) by a window alone. The paper's own
scores (summaries, questions, promoters F1 99.9) are of pretrained models on data that cannot be had here.

    pomona fit needle --network bigbird --augment none     # facts among 1,024 tokens of noise
    pomona fit long-text --network bigbird                 # which novel 4,096 characters are from
    pomona fit listops --network bigbird --augment none    # one of the Long Range Arena's tasks
"""

from dataclasses import replace
from typing import Literal

from pomona.fit.loop import fit
from pomona.fit.result import FitResult
from pomona.fit.settings import FitSettings
from pomona.foundation.errors import unknown_name
from pomona.foundation.run import Run
from pomona.networks.heads import head_block
from pomona.networks.spec import Block, Spec
from pomona.tasks.load import load_task
from pomona.tasks.task import Task

AttentionKind = Literal["full", "bigbird", "window", "window and random", "etc"]

ATTENTIONS: dict[str, tuple[str, dict[str, int]]] = {
    "full": ("transformer", {}),
    "bigbird": ("bigbird", {}),
    "window": ("bigbird", {"global_blocks": 0, "random_blocks": 0}),
    "window and random": ("bigbird", {"global_blocks": 0}),
    "etc": ("etc", {}),
}
"""Name → block and its arguments."""

NEEDLE = FitSettings(batch_size=8, learning_rate=5e-3, warmup=0.1, augment="none", evaluate_every=1000)

FIRST_LENGTH, FIRST_STEPS, NEXT_STEPS = 128, 500, 150
"""Training begins on short sequences and doubles their length; on long ones alone it hardly begins at all."""

TOKENS_A_STEP = 4096
"""At least; long sequences come in batches of eight."""


def needle_network(
    task: Task, attention: AttentionKind = "bigbird", *, width: int = 32, num_layers: int = 2
) -> Spec:
    """A small network for a task of one answer a step, with this attention in every layer.

    Raises SettingError for an unknown attention.
    """
    if attention not in ATTENTIONS:
        raise unknown_name("attention", attention, ATTENTIONS)
    block, args = ATTENTIONS[attention]
    (name, target), (source,) = next(iter(task.targets.items())), task.inputs
    blocks = [Block("embed", "embed", {"width": width}, (source,))]
    for index in range(num_layers):
        own = {"seed": index} if block == "bigbird" else {}
        blocks.append(Block(f"layer{index + 1}", block, {"heads": 2, **args, **own}, (blocks[-1].id,)))
    blocks.append(Block("norm", "normalisation", {"norm": "layer"}, (blocks[-1].id,)))
    blocks.append(head_block(task.kind, target, "norm", "head"))
    return Spec(task.inputs, tuple(blocks), {name: "head"})


def find_needles(
    attention: AttentionKind = "bigbird", *, time: int = 1024, settings: FitSettings = NEEDLE, run: Run
) -> FitResult:
    """Needle retrieval over `time` tokens: two minutes at 1,024 on one core, expected accuracy 1.0.

    With the attention "window", 0.125, chance. Time and memory of "full" grow with the square of `time`.
    """
    result = None
    for length in lengths_up_to(time):
        task = load_task("needle", num_train=6400 if result is None else 1600, time=length, seed=run.seed)
        steps = FIRST_STEPS if result is None else NEXT_STEPS
        batch_size = max(settings.batch_size, TOKENS_A_STEP // length)
        result = fit(
            task,
            needle_network(task, attention),
            replace(settings, steps=settings.steps or steps, batch_size=batch_size),
            run=run,
            name=f"needles {attention} {length}",
            weights=None if result is None else result.state,
        )
    assert result is not None
    return result


def lengths_up_to(time: int) -> tuple[int, ...]:
    """The lengths of sequences on the way to `time`, each at most twice the one before.

    >>> lengths_up_to(1000)
    (128, 256, 512, 1000)
    """
    lengths = [min(FIRST_LENGTH, time)]
    while lengths[-1] < time:
        lengths.append(min(2 * lengths[-1], time))
    return tuple(lengths)
