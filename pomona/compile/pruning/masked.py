"""What keeps weights at zero while a network is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pomona.compile.pruning.methods import METHODS, Method, Moment, span
from pomona.compile.pruning.patterns import Pattern, pattern_named
from pomona.compile.pruning.schedule import bounds, update_step
from pomona.compile.pruning.settings import PruneSettings
from pomona.fit.extension import Extension
from pomona.foundation.files import to_json
from pomona.foundation.randomness import stream_seed


def pruning(densities: Mapping[str, float], settings: PruneSettings, *, has_weights: bool) -> Extension:
    """The extension of a fit that leaves each named weight with its share of entries that are not zero.

    With `has_weights` the fit starts from trained weights, of which the largest are kept; otherwise methods
    that need no dense network start from entries at random.
    """
    method = METHODS[settings.method]
    if not method.is_gradual and has_weights:
        method = Method(METHODS["one-shot"].start, method.update)
    pattern = pattern_named(settings.pattern)
    start, end = span(settings)
    plain = {key: getattr(settings, key) for key in ("method", "pattern", "updates", "drop")}

    def constrain(weights: Mapping[str, Tensor], seed: int) -> "Masked":
        return Masked(weights, densities, method, settings, pattern, seed)

    when = {"start": start, "end": end}
    key = f"pruned {to_json({**plain, **when, 'densities': dict(densities), 'has_weights': has_weights})}"
    return Extension(constrain=constrain, kept_from=end if method.is_gradual else 0.0, key=key)


@dataclass
class Masked:
    """A Constraint: entries outside the masks are zero, and their gradients too."""

    weights: Mapping[str, Tensor]
    """At the start; those of pruned layers are changed in place."""
    densities: Mapping[str, float]
    method: Method
    settings: PruneSettings
    pattern: Pattern
    seed: int
    masks: dict[str, Tensor] = field(init=False)

    def __post_init__(self) -> None:
        whole = {name: torch.ones_like(self.weights[name], dtype=torch.bool) for name in self.densities}
        self.masks = {
            name: self.method.start(self._moment(name, self.weights[name], None, mask, 0.0, "start"))
            for name, mask in whole.items()
        }
        self.after(self.weights)

    @torch.no_grad()
    def before(
        self, weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor], step: int, num_steps: int
    ) -> None:
        """Decides anew which entries are zero when it is time, and takes the zeros' gradients away."""
        update, (start, end) = self.method.update, span(self.settings)
        if update is not None and update_step(
            step, num_steps, start=start, end=end, updates=self.settings.updates
        ):
            first, last = bounds(num_steps, start=start, end=end)
            progress = 1.0 if step == last else (step - first) / (last - first)
            for name, mask in self.masks.items():
                moment = self._moment(name, weights[name], gradients[name], mask, progress, str(step))
                self.masks[name] = update(moment)
            self.after(weights)
        for name, mask in self.masks.items():
            gradients[name].mul_(mask)

    @torch.no_grad()
    def after(self, weights: Mapping[str, Tensor]) -> None:
        """Sets entries outside the masks to zero."""
        for name, mask in self.masks.items():
            # a product would leave -0.0
            weights[name].masked_fill_(~mask, 0.0)

    def tensors(self) -> dict[str, Tensor]:
        """The masks."""
        return dict(self.masks)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Goes back to what `tensors` gave."""
        self.masks = {name: tensors[name].to(mask.device) for name, mask in self.masks.items()}

    def _moment(
        self, name: str, weight: Tensor, gradient: Tensor | None, mask: Tensor, progress: float, step: str
    ) -> Moment:
        generator = torch.Generator().manual_seed(stream_seed(self.seed, "masks", f"{name}/{step}"))
        density, drop = self.densities[name], self.settings.drop
        return Moment(weight, gradient, mask, density, self.pattern, progress, drop, generator)
