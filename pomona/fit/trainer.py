"""What moves in a training: weights, optimiser, average and random draws; one call a step.

Nothing in a step waits for a number: the loss stays on the device until somebody asks.
"""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn

from pomona.fit.augment import augmentation, mix
from pomona.fit.checkpoints import below
from pomona.fit.clip import clip
from pomona.fit.draws import Draws, dropout_state, set_dropout_state
from pomona.fit.ema import MovingAverage
from pomona.fit.objectives import Loss, Tensors
from pomona.fit.optimisers import make_optimiser, optimiser_tensors, restore_optimiser
from pomona.fit.precision import computed
from pomona.fit.schedules import rate_factor
from pomona.fit.setup import Setup


class Trainer:
    """A network on its way. `step` moves it; `tensors` and `restore` are all that a checkpoint needs.

    Dropout draws from torch's own generator: whoever calls `step` keeps that one apart (see `own_dropout`).
    """

    def __init__(self, network: nn.Module, setup: Setup, draws: Draws):
        settings, place = setup.settings, setup.place
        self.network = network
        self.optimiser = make_optimiser(dict(network.named_parameters()), settings)
        self.loss_sum = torch.zeros(1, device=place.device)
        self.generator = draws.generator("augment", place.device)
        self._task, self._loss, self._settings, self._place = setup.task, setup.loss, settings, place
        self._objective = setup.extension.objective
        constrain = setup.extension.constrain
        self._constraint = constrain and constrain(weights_of(network), draws.seed)
        self._vary = augmentation(setup.task, settings)
        self._weights = [weight for weight in network.parameters() if weight.requires_grad]
        # a constraint may have changed the weights
        self.average = MovingAverage(network, settings.ema) if settings.ema else None

    def step(self, batch: Tensors, step: int, num_steps: int) -> None:
        """One step of the optimiser; adds the loss to `loss_sum`."""
        settings = self._settings
        factor = rate_factor(settings.schedule, step, num_steps, warmup=settings.warmup)
        for group in self.optimiser.param_groups:
            group["lr"] = factor * settings.learning_rate
        if self._vary is not None:
            batch = self._vary(batch, self.generator)
        for weight in self._weights:
            weight.grad = None
        self.loss_sum += self._backward(batch, step / num_steps)
        if self._constraint is not None:
            gradients = {n: w.grad for n, w in self.network.named_parameters() if w.grad is not None}
            self._constraint.before(weights_of(self.network), gradients, step, num_steps)
        if settings.clip_norm:
            clip(self._weights, settings.clip_norm)
        self.optimiser.step()
        if self._constraint is not None:
            self._constraint.after(weights_of(self.network))
        if self.average is not None:
            self.average.update(step)

    def evaluated(self, member: int) -> nn.Module:
        """The network to evaluate and keep: the average where there is one."""
        if self.average is None:
            return self.network
        if self._constraint is not None:
            self._constraint.after(weights_of(self.average.network))
        return self.average.network

    def tensors(self) -> Tensors:
        """Everything that moves, by name."""
        parts = {"network": self.network.state_dict(), "optimiser": optimiser_tensors(self.optimiser)}
        if self.average is not None:
            parts["average"] = self.average.network.state_dict()
        if self._constraint is not None:
            parts["constraint"] = self._constraint.tensors()
        found = {f"{part}/{name}": tensor for part, named in parts.items() for name, tensor in named.items()}
        return found | {
            "augment": self.generator.get_state(),
            "dropout": dropout_state(self._place.device),
            "loss_sum": self.loss_sum,
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Goes back to what `tensors` gave."""
        self.network.load_state_dict(below(tensors, "network/"))
        restore_optimiser(self.optimiser, below(tensors, "optimiser/"))
        if self.average is not None:
            self.average.network.load_state_dict(below(tensors, "average/"))
        if self._constraint is not None:
            self._constraint.restore(below(tensors, "constraint/"))
        self.generator.set_state(tensors["augment"].cpu())
        set_dropout_state(tensors["dropout"], self._place.device)
        self.loss_sum.copy_(tensors["loss_sum"])

    def _backward(self, batch: Tensors, share_done: float) -> Tensor:
        settings, partners, share = self._settings, None, 1.0
        if settings.mixup or settings.cutmix:
            batch, partners, share = mix(
                batch, self._task.inputs, self.generator, settings.mixup, settings.cutmix
            )
        if settings.accumulate == 1:
            heads, task_loss = self._heads(batch), mixed_loss(self._loss, batch, partners, share)
            if self._objective is None:
                loss = task_loss(heads)
            else:
                loss = self._objective(heads, batch, task_loss, share_done)
            loss.backward()
            return loss.detach()
        totals, value = self._loss.totals(batch), torch.zeros((), device=self._place.device)
        others = pieces(batch if partners is None else partners, settings.accumulate)
        for piece, other in zip(pieces(batch, settings.accumulate), others, strict=True):
            heads = self._heads(piece)
            loss = self._loss.share(heads, piece, totals)
            if partners is not None:
                loss = share * loss + (1 - share) * self._loss.share(heads, other, totals)
            loss.backward()
            value += loss.detach()
        return value

    def _heads(self, batch: Tensors) -> dict[str, Tensor]:
        return computed(self.network, batch, self._settings, self._place)


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """The weights by name, to be changed in place without gradients; they share the network's memory."""
    return {name: weight.detach() for name, weight in network.named_parameters()}


def mixed_loss(
    loss: Loss, batch: Tensors, partners: Tensors | None, share: float | Tensor
) -> Callable[[Tensors], Tensor]:
    """From heads to their loss on a batch; of mixed examples on both that each is made of, by their share."""

    def value(heads: Tensors) -> Tensor:
        if partners is None:
            return loss(heads, batch)
        return share * loss(heads, batch) + (1 - share) * loss(heads, partners)

    return value


def pieces(batch: Tensors, count: int) -> list[Tensors]:
    """A batch in `count` pieces of nearly equal size; fewer when it has fewer examples."""
    size = len(next(iter(batch.values())))
    bounds = sorted({size * part // count for part in range(count + 1)})
    return [
        {name: tensor[start:stop] for name, tensor in batch.items()}
        for start, stop in itertools.pairwise(bounds)
    ]
