"""What moves in a training: weights, optimiser, average and random draws; one call a step.

Nothing in a step waits for a number: the loss stays on the device until somebody asks.
"""

import contextlib
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from pomona.fit import foreach
from pomona.fit.augment import augmentation, mix
from pomona.fit.draws import Draws
from pomona.fit.ema import MovingAverage
from pomona.fit.feeds import Place
from pomona.fit.objectives import Loss, Tensors
from pomona.fit.optimisers import make_optimiser
from pomona.fit.schedules import rate_factor
from pomona.fit.settings import FitSettings
from pomona.foundation.randomness import stream_seed
from pomona.tasks.task import Task


class Trainer:
    """A network on its way. `step` moves it; `tensors` and `restore` are all that a checkpoint needs.

    Dropout draws from torch's own generator: whoever calls `step` keeps that one apart (see `own_dropout`).
    """

    def __init__(
        self, network: nn.Module, task: Task, loss: Loss, settings: FitSettings, place: Place, draws: Draws
    ):
        self.network = network
        self.optimiser = make_optimiser(dict(network.named_parameters()), settings)
        self.average = MovingAverage(network, settings.ema) if settings.ema else None
        self.loss_sum = torch.zeros((), device=place.device)
        self.generator = draws.generator("augment", place.device)
        self._task, self._loss, self._settings, self._place = task, loss, settings, place
        self._vary = augmentation(task, settings)
        self._weights = [weight for weight in network.parameters() if weight.requires_grad]

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
        self.loss_sum += self._backward(batch)
        if settings.clip_norm:
            clip(self._weights, settings.clip_norm)
        self.optimiser.step()
        if self.average is not None:
            self.average.update(step)

    @property
    def evaluated(self) -> nn.Module:
        """The network to evaluate and keep: the average where there is one."""
        return self.network if self.average is None else self.average.network

    def tensors(self) -> Tensors:
        """Everything that moves, by name."""
        found = {f"network/{name}": tensor for name, tensor in self.network.state_dict().items()}
        if self.average is not None:
            state = self.average.network.state_dict()
            found |= {f"average/{name}": tensor for name, tensor in state.items()}
        for index, entry in self.optimiser.state_dict()["state"].items():
            found |= {f"optimiser/{index}/{k}": v for k, v in entry.items() if isinstance(v, Tensor)}
        found["generator/augment"] = self.generator.get_state()
        found["generator/dropout"] = _own_state(self._place.device)
        found["loss_sum"] = self.loss_sum
        return found

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Goes back to what `tensors` gave."""
        self.network.load_state_dict(below(tensors, "network/"))
        if self.average is not None:
            self.average.network.load_state_dict(below(tensors, "average/"))
        state: dict[int, dict[str, Tensor]] = {}
        for key, tensor in below(tensors, "optimiser/").items():
            index, _, name = key.partition("/")
            state.setdefault(int(index), {})[name] = tensor
        plain = self.optimiser.state_dict()
        self.optimiser.load_state_dict({**plain, "state": state})
        self.generator.set_state(tensors["generator/augment"].cpu())
        _set_own_state(tensors["generator/dropout"].cpu(), self._place.device)
        self.loss_sum.copy_(tensors["loss_sum"])

    def _backward(self, batch: Tensors) -> Tensor:
        settings, partners, share = self._settings, None, 1.0
        if settings.mixup:
            batch, partners, share = mix(batch, self._task.inputs, self.generator, settings.mixup)
        if settings.accumulate == 1:
            heads = self._heads(batch)
            loss = self._loss(heads, batch)
            if partners is not None:
                loss = share * loss + (1 - share) * self._loss(heads, partners)
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
        if self._settings.precision != "bfloat16":
            return self.network(batch)
        with torch.autocast(torch.device(self._place.device).type, torch.bfloat16):
            heads = self.network(batch)
        return {name: head.float() for name, head in heads.items()}


def clip(weights: Sequence[Tensor], norm: float) -> None:
    """Cuts the gradients to a total length of `norm`, without waiting for the number."""
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    if gradients:
        length = torch.linalg.vector_norm(torch.stack(foreach.norms(gradients)))
        foreach.scale_(gradients, (norm / (length + 1e-6)).clamp_max(1.0))


def pieces(batch: Tensors, count: int) -> list[Tensors]:
    """A batch in `count` pieces of nearly equal size; fewer when it has fewer examples."""
    size = len(next(iter(batch.values())))
    bounds = sorted({size * part // count for part in range(count + 1)})
    return [
        {name: tensor[start:stop] for name, tensor in batch.items()}
        for start, stop in itertools.pairwise(bounds)
    ]


def below(tensors: Mapping[str, Tensor], prefix: str) -> Tensors:
    """The tensors whose name starts with `prefix`, without it."""
    return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}


@contextlib.contextmanager
def own_dropout(draws: Draws, device: str) -> Iterator[None]:
    """While the block lasts, torch's generator is the stream of this training; afterwards it is as it was."""
    cards = [torch.device(device)] if torch.device(device).type == "cuda" else []
    with torch.random.fork_rng(devices=cards):
        seed = stream_seed(draws.seed, "dropout", draws.name)
        torch.default_generator.manual_seed(seed)
        if cards:
            torch.cuda.manual_seed(seed)
        yield


def read_loss(trainer: Trainer, num_steps: int) -> float:
    """The mean loss of the last `num_steps` steps; starts to count anew."""
    value = float(trainer.loss_sum) / num_steps if num_steps else math.nan
    trainer.loss_sum.zero_()
    return value


def _own_state(device: str) -> Tensor:
    is_cuda = torch.device(device).type == "cuda"
    return torch.cuda.get_rng_state(device) if is_cuda else torch.get_rng_state()


def _set_own_state(state: Tensor, device: str) -> None:
    if torch.device(device).type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
