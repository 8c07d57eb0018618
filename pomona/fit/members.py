"""Training one architecture with many seeds at once, along the member axis."""

import contextlib
import copy
import functools
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value

from pomona.fit import foreach
from pomona.fit.augment import augmentation, mix
from pomona.fit.checkpoints import below
from pomona.fit.clip import clip_members
from pomona.fit.course import run_course
from pomona.fit.draws import dropout_state, own_dropout, set_dropout_state
from pomona.fit.ema import decay_at
from pomona.fit.extension import USUAL, Extension
from pomona.fit.feeds import DrawnFeed, Feed, MemoryFeed, StreamFeed, make_feed
from pomona.fit.job import fit_result, make_job
from pomona.fit.objectives import Tensors
from pomona.fit.optimisers import decayed_names, make_optimiser, optimiser_tensors, restore_optimiser
from pomona.fit.population import each, fastest, join, pick, spread
from pomona.fit.precision import computed
from pomona.fit.result import FitResult
from pomona.fit.schedules import rate_factor
from pomona.fit.settings import FitSettings
from pomona.fit.setup import Setup, set_up
from pomona.fit.trainer import mixed_loss, weights_of
from pomona.foundation.run import Run, temporary_run
from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.spec import Spec
from pomona.tasks.task import Task


def fit_population(
    task: Task,
    spec: Spec,
    settings: FitSettings = FitSettings(),
    seeds: Sequence[int] = (0, 1, 2),
    *,
    run: Run | None = None,
    name: str = "fit",
    how: str = "auto",
    blocks: Mapping[str, BlockKind] = BLOCKS,
    extension: Extension = USUAL,
) -> list[FitResult]:
    """What `fit` gives for each seed in the place of the run's, trained together; to rounding the same.

    Only dropout draws other numbers. Members that fail or stop early leave the others alone. `how` is that of
    `population.each`. `accumulate` has no effect: chunks save memory here.
    Time for small networks is a third of that of a loop; memory grows with the members that run at once.
    """
    with contextlib.ExitStack() as stack:
        run = run or stack.enter_context(temporary_run())
        setup = set_up(
            task,
            spec,
            settings,
            run=run,
            name=name,
            blocks=blocks,
            num_members=len(seeds),
            extension=extension,
        )
        trainer = Members([setup.start(seed) for seed in seeds], setup, seeds, how=how)
        job = make_job(setup, seeds, feed=MembersFeed(tuple(_feeds(setup, seeds))), trainer=trainer)
        stack.enter_context(own_dropout(setup.draws(run.seed), setup.place.device))
        course = run_course(job)
        starts = [functools.partial(setup.start, seed) for seed in seeds]
        return [fit_result(setup, job, course, member, start) for member, start in enumerate(starts)]


@dataclass(frozen=True)
class MembersFeed:
    """One batch a member, from the feeds that members would have on their own."""

    feeds: tuple[Feed, ...]

    @property
    def epoch_steps(self) -> int:
        return self.feeds[0].epoch_steps

    def batches(self, first_step: int) -> Generator[Any, None, None]:
        with contextlib.ExitStack() as stack:
            parts = [stack.enter_context(contextlib.closing(f.batches(first_step))) for f in self.feeds]
            yield from zip(*parts, strict=False)


class Members:
    """Networks of one architecture on their way; see `Trainer`, which is one of them."""

    def __init__(self, networks: Sequence[nn.Module], setup: Setup, seeds: Sequence[int], *, how: str):
        settings, place = setup.settings, setup.place
        self.how = how
        self.loss_sum = torch.zeros(len(seeds), device=place.device)
        self.generators = [setup.draws(seed).generator("augment", place.device) for seed in seeds]
        self._task, self._loss, self._settings, self._place = setup.task, setup.loss, settings, place
        self._key, self._run, self._objective = setup.name, setup.run, setup.extension.objective
        self._share_done = 0.0
        constrain = setup.extension.constrain
        self._constraints = [
            constrain(weights_of(network), seed)
            for network, seed in zip(networks, seeds, strict=True)
            if constrain is not None
        ]
        self._vary = augmentation(setup.task, settings)
        self._network, self._evaluated = networks[0], copy.deepcopy(networks[0])
        one = dict(networks[0].named_parameters())
        state = spread(lambda member: networks[member].state_dict(), range(len(networks)))
        self.weights = {name: state[name].requires_grad_() for name in one}
        self.buffers = {name: tensor for name, tensor in state.items() if name not in one}
        self.average = {name: state[name].detach().clone() for name in one} if settings.ema else {}
        self.optimiser = make_optimiser(self.weights, settings, decayed=decayed_names(one))

    def step(self, batch: Sequence[Tensors], step: int, num_steps: int) -> None:
        """One step of every member."""
        settings = self._settings
        factor = rate_factor(settings.schedule, step, num_steps, warmup=settings.warmup)
        for group in self.optimiser.param_groups:
            group["lr"] = factor * settings.learning_rate
        self._share_done = step / num_steps
        drawn = [self._drawn(part, one) for part, one in zip(batch, self.generators, strict=True)]
        gradients, losses = self._gradients(join(drawn))
        for member, one in enumerate(self._constraints):
            one.before(self._own(self.weights, member), self._own(gradients, member), step, num_steps)
        if settings.clip_norm:
            clip_members(list(gradients.values()), settings.clip_norm)
        for name, gradient in gradients.items():
            self.weights[name].grad = gradient
        self.optimiser.step()
        for member, one in enumerate(self._constraints):
            one.after(self._own(self.weights, member))
        self.loss_sum += losses
        if self.average:
            share = 1 - decay_at(step, settings.ema)
            weights = [tensor.detach() for tensor in self.weights.values()]
            foreach.lerp_(list(self.average.values()), weights, share)

    def evaluated(self, member: int) -> nn.Module:
        """The network of a member to evaluate and keep."""
        weights = self.average or {key: tensor.detach() for key, tensor in self.weights.items()}
        self._evaluated.load_state_dict(pick({**weights, **self.buffers}, member))
        if self._constraints:
            self._constraints[member].after(weights_of(self._evaluated))
        return self._evaluated

    def tensors(self) -> Tensors:
        """Everything that moves, by name."""
        parts = {
            "weights": self.weights,
            "buffers": self.buffers,
            "average": self.average,
            "optimiser": optimiser_tensors(self.optimiser),
            "augment": {str(member): one.get_state() for member, one in enumerate(self.generators)},
            "constraint": {
                f"{member}/{key}": tensor
                for member, one in enumerate(self._constraints)
                for key, tensor in one.tensors().items()
            },
        }
        found = {f"{part}/{key}": tensor for part, named in parts.items() for key, tensor in named.items()}
        return found | {"dropout": dropout_state(self._place.device), "loss_sum": self.loss_sum}

    @torch.no_grad()
    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Goes back to what `tensors` gave."""
        for part, named in (("weights", self.weights), ("buffers", self.buffers), ("average", self.average)):
            for key, tensor in below(tensors, f"{part}/").items():
                named[key].copy_(tensor)
        restore_optimiser(self.optimiser, below(tensors, "optimiser/"))
        for member, generator in enumerate(self.generators):
            generator.set_state(tensors[f"augment/{member}"].cpu())
        for member, one in enumerate(self._constraints):
            one.restore(below(tensors, f"constraint/{member}/"))
        set_dropout_state(tensors["dropout"], self._place.device)
        self.loss_sum.copy_(tensors["loss_sum"])

    @staticmethod
    def _own(stacked: Tensors, member: int) -> Tensors:
        """One member's part, in the same memory."""
        return {name: tensor.detach()[member] for name, tensor in stacked.items()}

    def _gradients(self, examples: dict[str, Any]) -> tuple[Tensors, Tensor]:
        """The gradients and losses of all members; statistics that batch norms keep move on."""
        weights = {name: tensor.detach() for name, tensor in self.weights.items()}
        if self.how == "auto":
            self.how = fastest(self._gradient, weights, self.buffers, examples, run=self._run, key=self._key)
        gradients, losses, self.buffers = each(self._gradient, weights, self.buffers, examples, how=self.how)
        return gradients, losses

    def _drawn(self, batch: Tensors, generator: torch.Generator) -> dict[str, Any]:
        """A member's batch, varied and mixed as it would be on its own."""
        if self._vary is not None:
            batch = self._vary(batch, generator)
        if not (self._settings.mixup or self._settings.cutmix):
            return {"batch": batch}
        settings = self._settings
        mixed, partners, share = mix(batch, self._task.inputs, generator, settings.mixup, settings.cutmix)
        tensor = torch.tensor(share, device=self._place.device, dtype=self._place.dtype)
        return {"batch": mixed, "partners": partners, "share": tensor}

    def _gradient(
        self, weights: Tensors, buffers: Tensors, examples: dict[str, Any]
    ) -> tuple[Tensors, Tensor, Tensors]:
        """The gradient and the loss of one member, and its buffers after that."""

        def value(weights: Tensors, buffers: Tensors) -> tuple[Tensor, Tensors]:
            def forward(batch: Tensors) -> dict[str, Tensor]:
                return functional_call(self._network, (weights, buffers), (batch,))

            heads = computed(forward, examples["batch"], self._settings, self._place)
            batch, share = examples["batch"], examples.get("share", 1.0)
            task_loss = mixed_loss(self._loss, batch, examples.get("partners"), share)
            if self._objective is None:
                return task_loss(heads), buffers
            return self._objective(heads, batch, task_loss, self._share_done), buffers

        copies = {name: tensor.clone() for name, tensor in buffers.items()}
        gradient, (loss, after) = grad_and_value(value, has_aux=True)(weights, copies)
        return gradient, loss, after


def _feeds(setup: Setup, seeds: Sequence[int]) -> list[Feed]:
    """A feed a member; examples that are held are held once."""
    draws = [setup.draws(seed) for seed in seeds]
    first = make_feed(setup.task, "train", setup.place, setup.settings, draws[0])
    if isinstance(first, DrawnFeed):
        return [replace(first, draws=one) for one in draws]
    assert isinstance(first, MemoryFeed | StreamFeed)
    return [replace(first, order=replace(first.order, draws=one)) for one in draws]
