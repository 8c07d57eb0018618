"""A torch module that runs as a plan says: each operation on its worker, the most urgent one first."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.export.graph_signature import InputKind, OutputKind
from torch.fx import Node
from torch.utils._pytree import tree_unflatten

from pomona.compile.placement.capture.torch_module import captured_program, export_program
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.running.inputs import Inputs
from pomona.compile.placement.running.workers import OnWorkers


class Placed(OnWorkers):
    """The forward pass of `module` as `plan` places it: call it as the module, and close it in the end.

    `args` and `kwargs` are inputs such as it was planned for, and fix the shapes; a program that
    `export_program` made needs none. Workers are processes, each pinned to a core, with the weights as they
    are now; or, with `devices` such as ("cpu", "cuda:0"), threads of this process with a stream each. A
    worker runs what is ready in order of priority, a cluster in one go. Raises InputError when the plan is
    not the module's.

    >>> with Placed(module, (x,), plan) as placed:  # doctest: +SKIP
    ...     torch.testing.assert_close(placed(x), module(x))
    """

    def __init__(
        self,
        module: torch.nn.Module | torch.export.ExportedProgram,
        args: Sequence[Any],
        plan: Plan,
        *,
        kwargs: Mapping[str, Any] | None = None,
        num_workers: int | None = None,
        cores: Sequence[int] | None = None,
        devices: Sequence[str] | None = None,
    ):
        is_program = isinstance(module, torch.export.ExportedProgram)
        program = module if is_program else export_program(module, args, kwargs)
        captured = captured_program(program, type(module).__name__)
        weights, nodes = _given(program)
        self._inputs = Inputs.of(program, nodes)
        self._out_spec = program.call_spec.out_spec
        # before what the module returns come the buffers that it changed
        specs = program.graph_signature.output_specs
        self._num_changed = sum(spec.kind != OutputKind.USER_OUTPUT for spec in specs)
        names = self._inputs.names
        super().__init__(
            captured, plan, weights, names, num_workers=num_workers, cores=cores, devices=devices
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the module returns for these inputs. Raises DataError for inputs of other shapes or types."""
        outputs = self.workers.run(self._inputs.named(args, kwargs))
        assert self._out_spec is not None
        return tree_unflatten(list(outputs)[self._num_changed :], self._out_spec)


def _given(program: torch.export.ExportedProgram) -> tuple[dict[str, Any], list[Node]]:
    """Weights and constants by the names of their nodes, and the nodes of inputs."""
    weights: dict[str, Any] = {}
    inputs: list[Node] = []
    placeholders = [node for node in program.graph.nodes if node.op == "placeholder"]
    for node, spec in zip(placeholders, program.graph_signature.input_specs, strict=True):
        if spec.kind == InputKind.USER_INPUT:
            inputs.append(node)
        else:
            kept = program.state_dict if spec.target in program.state_dict else program.constants
            weights[node.name] = kept[str(spec.target)]
    return weights, inputs
