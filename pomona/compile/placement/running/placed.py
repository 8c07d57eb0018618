"""A torch module that runs as a plan says: each operation on its worker, the most urgent one first."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import torch
from torch.export.graph_signature import InputKind, OutputKind
from torch.fx import Node
from torch.utils._pytree import tree_flatten, tree_unflatten

from pomona.compile.placement.capture.torch_module import captured_program, export_program
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.running.processes import Processes
from pomona.compile.placement.running.programs import programs_of
from pomona.compile.placement.running.streams import Streams
from pomona.foundation.errors import DataError


class Placed:
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
        count = num_workers or (len(devices) if devices else int(plan.device.max(initial=0)) + 1)
        programs = programs_of(captured_program(program, type(module).__name__), plan, count)
        weights, self._inputs = _given(program)
        self._in_spec, self._out_spec = program.call_spec.in_spec, program.call_spec.out_spec
        # before what the module returns come the buffers that it changed
        specs = program.graph_signature.output_specs
        self._num_changed = sum(spec.kind != OutputKind.USER_OUTPUT for spec in specs)
        names = [node.name for node in self._inputs if node is not None]
        self.workers: Processes | Streams = (
            Processes(programs, weights, names, cores)
            if devices is None
            else Streams(programs, weights, devices)
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the module returns for these inputs. Raises DataError for inputs of other shapes or types."""
        leaves, spec = tree_flatten((args, kwargs))
        if spec != self._in_spec:
            raise DataError("the inputs are arranged in another way than those it was placed with")
        given = {}
        for node, value in zip(self._inputs, leaves, strict=True):
            if node is None:
                continue
            wanted = _described(node.meta["val"])
            if not isinstance(value, torch.Tensor) or _described(value) != wanted:
                got = _described(value) if isinstance(value, torch.Tensor) else type(value).__name__
                raise DataError(f"input {node.name!r} was placed as {wanted}, got {got}")
            given[node.name] = value
        assert self._out_spec is not None
        return tree_unflatten(list(self.workers.run(given))[self._num_changed :], self._out_spec)

    def close(self) -> None:
        """Ends the workers."""
        self.workers.close()

    def __enter__(self) -> "Placed":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _given(program: torch.export.ExportedProgram) -> tuple[dict[str, Any], list[Node | None]]:
    """Weights and constants by the names of their nodes, and the nodes of inputs, None for numbers."""
    module = program.graph_module
    weights: dict[str, Any] = {
        node.name: getattr(module, str(node.target)) for node in module.graph.nodes if node.op == "get_attr"
    }
    inputs: list[Node | None] = []
    placeholders = [node for node in module.graph.nodes if node.op == "placeholder"]
    for node, spec in zip(placeholders, program.graph_signature.input_specs, strict=True):
        if spec.kind == InputKind.USER_INPUT:
            inputs.append(node if isinstance(node.meta.get("val"), torch.Tensor) else None)
        else:
            kept = program.state_dict if spec.target in program.state_dict else program.constants
            weights[node.name] = kept[str(spec.target)]
    return weights, inputs


def _described(tensor: torch.Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
