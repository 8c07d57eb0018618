"""Pruning a network of a task: which layers, how far, and the training that makes up for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from pomona.compile.pruning.allocation import erk, uniform
from pomona.compile.pruning.latency import as_fast_as_uniform, measured_times
from pomona.compile.pruning.layers import Layer, chosen_layers, layers_of
from pomona.compile.pruning.masked import pruning
from pomona.compile.pruning.methods import METHODS, span
from pomona.compile.pruning.patterns import pattern_named
from pomona.compile.pruning.settings import PruneSettings
from pomona.fit.distillation import Lessons, distil
from pomona.fit.loop import fit
from pomona.fit.plan import AUTO_STEPS
from pomona.fit.result import FitResult
from pomona.fit.settings import FitSettings
from pomona.foundation.errors import SettingError, unknown_name
from pomona.foundation.run import Run
from pomona.networks.build import build
from pomona.networks.spec import Spec
from pomona.tasks.task import Task

LayerTime = Callable[[Layer, float], float]
"""From a layer and a sparsity to its time, in any unit."""


@dataclass(frozen=True, eq=False)
class Pruned:
    """A network after pruning, and what was decided of its layers."""

    result: FitResult
    layers: tuple[Layer, ...]
    """All that could have been pruned, in the order in which they run."""
    densities: Mapping[str, float]
    """Weight → the share that it was to keep, of the layers that were pruned."""


def prune_network(
    task: Task,
    spec: Spec,
    settings: PruneSettings,
    training: FitSettings,
    *,
    run: Run,
    weights: Mapping[str, Tensor] | None,
    sparsity: float | None = None,
    lessons: Lessons | None = None,
    layer_time: LayerTime | None = None,
    name: str = "sparse",
) -> Pruned:
    """The network of `spec` made sparse while it is trained, from trained `weights` or from the start.

    `training` is how the dense network was or would be trained; the settings say how much of that the sparse
    one gets. `sparsity` overrides theirs. `layer_time` is for the allocation "latency"; otherwise the
    exported layers are timed here. With `lessons` a teacher helps. Raises SettingError.
    """
    check_method(settings)
    sparsity = settings.sparsities()[-1] if sparsity is None else sparsity
    network = build(spec, run.seed)
    if weights is not None:
        network.load_state_dict(dict(weights))
    layers = layers_of(network)
    densities = allocate(
        network.state_dict(), chosen_layers(layers, settings.dense), sparsity, settings, layer_time
    )
    extension = pruning(densities, settings, has_weights=weights is not None)
    training = fine_tuning(training, task, settings, has_weights=weights is not None)
    if lessons is None:
        result = fit(task, spec, training, run=run, name=name, weights=weights, extension=extension)
    else:
        result = distil(
            task, spec, training, lessons, run=run, name=name, weights=weights, extension=extension
        )
    return Pruned(result, tuple(layers), densities)


def check_method(settings: PruneSettings) -> None:
    """Raises SettingError for a method there is not, and for a pattern or start that do not fit the rest."""
    if settings.method not in METHODS:
        raise unknown_name("method of pruning", settings.method, METHODS)
    span(settings)
    pattern = pattern_named(settings.pattern)
    if pattern.of and not METHODS[settings.method].has_groups:
        raise SettingError(
            f"{settings.method} exchanges entries, which N:M patterns do not allow: take magnitude"
        )
    if pattern.sparsity is None:
        return
    if settings.allocation != "uniform":
        raise SettingError(
            f"the pattern {settings.pattern} fixes every layer's sparsity: allocation is uniform"
        )
    for value in settings.sparsities():
        if abs(value - pattern.sparsity) > 1e-6:
            raise SettingError(
                f"the pattern {settings.pattern} is a sparsity of {pattern.sparsity:.4g}, not {value:.4g}: "
                f"give --sparsity {pattern.sparsity:.4g}"
            )


def allocate(
    weights: Mapping[str, Tensor],
    layers: Sequence[Layer],
    sparsity: float,
    settings: PruneSettings,
    layer_time: LayerTime | None = None,
) -> dict[str, float]:
    """Weight → the share of its entries that it keeps."""
    shapes = {layer.name: layer.shape for layer in layers}
    if settings.allocation == "uniform":
        return uniform(shapes, sparsity)
    if settings.allocation == "erk":
        return erk(shapes, sparsity)
    energies = {layer.name: weights[layer.name].double().square().cpu().numpy() for layer in layers}
    return as_fast_as_uniform(layers, energies, layer_time or measured_times(layers), sparsity)


def fine_tuning(
    training: FitSettings, task: Task, settings: PruneSettings, *, has_weights: bool
) -> FitSettings:
    """How the sparse network is trained: as the dense one, by the settings shorter or longer, and gentler."""
    rate = settings.rate if has_weights else 1.0
    changed = replace(training, learning_rate=training.learning_rate * rate, early_stopping=0)
    if settings.length == 1.0:
        return changed
    if training.steps is not None:
        return replace(changed, steps=max(1, round(settings.length * training.steps)))
    if training.epochs is not None:
        return replace(changed, epochs=max(1, round(settings.length * training.epochs)))
    return replace(changed, steps=max(1, round(settings.length * AUTO_STEPS)))
