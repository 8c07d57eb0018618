"""A training step that runs as a plan says: loss and gradients, each operation on its worker."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.export.graph_signature import InputKind

from pomona.compile.placement.capture.torch_module import training_step
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.running.inputs import Inputs
from pomona.compile.placement.running.workers import OnWorkers
from pomona.foundation.errors import InputError

WEIGHTS = (InputKind.PARAMETER, InputKind.BUFFER)


class PlacedStep(OnWorkers):
    """The training step of `module` as `plan` places it, the plan being one for `--training`.

    Called with inputs of the same shapes, it returns the loss and leaves the gradients where backward does,
    in `.grad` of the module's weights, in place of earlier ones: what an optimiser does with them comes
    after. The weights are those that the module has when it is called. `loss` makes a number of what the
    module returns; without it an output that is a number is the loss, so a module that reads its targets and
    returns the loss needs none. Workers are those of `Placed`; one that draws numbers, such as dropout, has a
    sequence of its own.

    Raises InputError when the plan is not that of the step, and for a module whose step changes buffers, as
    running means of a normalisation over the batch are.

    >>> with PlacedStep(module, (x, y), plan) as step:  # doctest: +SKIP
    ...     loss = step(x, y)
    ...     optimiser.step()
    """

    def __init__(
        self,
        module: torch.nn.Module,
        args: Sequence[Any],
        plan: Plan,
        *,
        kwargs: Mapping[str, Any] | None = None,
        loss: Callable[[Any], torch.Tensor] | None = None,
        num_workers: int | None = None,
        cores: Sequence[int] | None = None,
        devices: Sequence[str] | None = None,
    ):
        step = training_step(module, args, kwargs, loss=loss)
        signature = step.program.graph_signature
        if signature.buffers_to_mutate:
            first = next(iter(signature.buffers_to_mutate.values()))
            raise InputError(f"a step that changes no buffers was wanted, this one changes {first!r}")
        specs = signature.input_specs
        nodes = [node for node in step.captured.module.graph.nodes if node.op == "placeholder"]
        pairs = list(zip(nodes, specs, strict=True))
        self.module, self._learned = module, step.learned
        self._inputs = Inputs.of(
            step.program, [node for node, spec in pairs if spec.kind == InputKind.USER_INPUT]
        )
        self._weights = {node.name: str(spec.target) for node, spec in pairs if spec.kind in WEIGHTS}
        kept = {
            node.name: step.program.constants[str(spec.target)]
            for node, spec in pairs
            if spec.kind not in (*WEIGHTS, InputKind.USER_INPUT)
        }
        names = [*self._weights, *self._inputs.names]
        super().__init__(
            step.captured, plan, kept, names, num_workers=num_workers, cores=cores, devices=devices
        )

    def __call__(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """The loss for these inputs. Raises DataError for inputs of other shapes or types."""
        given = self._inputs.named(args, kwargs)
        known = dict(self.module.named_parameters(remove_duplicate=False))
        known |= dict(self.module.named_buffers(remove_duplicate=False))
        given |= {node: known[name].detach() for node, name in self._weights.items()}
        loss, *gradients = self.workers.run(given)
        for name in self._learned:
            known[name].grad = None
        for name, gradient in zip(self._learned, gradients, strict=True):
            if gradient is not None:
                # a weight that has two names has a gradient by each
                before = known[name].grad
                known[name].grad = gradient if before is None else before + gradient
        return loss
