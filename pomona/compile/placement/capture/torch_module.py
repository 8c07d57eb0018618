"""Graphs of torch modules: the forward pass by torch.export, the training step by tracing its autograd."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.export.graph_signature import InputKind
from torch.fx import Node
from torch.fx.experimental.proxy_tensor import get_proxy_mode, make_fx
from torch.utils._pytree import tree_leaves, tree_unflatten

from pomona.compile.placement.capture.fx_graph import Captured, Stored, graph_of_fx
from pomona.compile.placement.capture.torch_flops import plain_kernels
from pomona.foundation.errors import InputError

_OPS = {InputKind.PARAMETER: "parameter", InputKind.BUFFER: "state", InputKind.USER_INPUT: "input"}


def capture_forward(
    module: torch.nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None, *, name: str = ""
) -> Captured:
    """The graph of one call of a module, an ATen operator a node, weights as stored nodes.

    Raises InputError with torch's own reason where torch.export cannot capture the module.
    """
    return captured_program(export_program(module, args, kwargs), name or type(module).__name__)


def captured_program(program: torch.export.ExportedProgram, name: str) -> Captured:
    """The graph of an exported program."""
    stored = {
        node.name: _stored(spec)
        for node, spec in zip(_placeholders(program.graph), program.graph_signature.input_specs, strict=True)
    }
    paths = {node.name: _path(node) for node in program.graph.nodes}
    return graph_of_fx(program.graph_module, name, stored=stored, paths=paths)


@dataclass(frozen=True, eq=False)
class TrainingStep:
    """A captured training step: it returns its loss and then a gradient, or None, for each of `learned`."""

    captured: Captured
    program: torch.export.ExportedProgram
    """The forward pass; the step reads the same inputs, in the same order."""
    learned: tuple[str, ...]
    """Names of the weights with gradients."""


def capture_training(
    module: torch.nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    *,
    loss: Callable[[Any], torch.Tensor] | None = None,
    name: str = "",
) -> Captured:
    """The graph of a training step: forward, loss, backward, and an update of every weight with a gradient.

    `loss` makes a number of what the module returns. Without it, an output that is a number (such as the loss
    of a transformers model) is taken, else the mean of every output of floats, which costs next to nothing.
    Labels of backward nodes have `gradient` between their module's path and their operator.
    """
    return training_step(module, args, kwargs, loss=loss, name=name).captured


def training_step(
    module: torch.nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    *,
    loss: Callable[[Any], torch.Tensor] | None = None,
    name: str = "",
) -> TrainingStep:
    """The same, with what it takes to run it."""
    program = export_program(module, args, kwargs)
    fixed = {
        key for key, weight in module.named_parameters(remove_duplicate=False) if not weight.requires_grad
    }
    step = _Step(program, loss or _stand_in_loss, fixed)
    values = [node.meta["val"] for node in _placeholders(program.graph)]
    fakes = [one for one in values if isinstance(one, torch._subclasses.FakeTensor)]
    if not fakes:
        raise InputError(
            f"a module with tensors was wanted, {type(module).__name__} has none: nothing to train"
        )
    try:
        with fakes[0].fake_mode, plain_kernels(), torch.enable_grad():
            traced = make_fx(step)(values)
    except RuntimeError as error:
        raise InputError(
            f"a module whose loss has gradients was wanted, {type(module).__name__} has none: "
            f"{_one_line(error)}"
        ) from error
    paths = step.paths(traced.graph)
    traced.graph.eliminate_dead_code()
    specs = program.graph_signature.input_specs
    placeholders = _placeholders(traced.graph)
    stored = {node.name: _stored(spec) for node, spec in zip(placeholders, specs, strict=True)}
    gradients = next(node for node in traced.graph.nodes if node.op == "output").args[0][1:]
    captured = graph_of_fx(
        traced,
        name or type(module).__name__,
        stored=stored,
        paths=paths,
        gradients={
            placeholders[index].name: gradient
            for index, gradient in zip(step.learned, gradients, strict=True)
            if isinstance(gradient, Node)
        },
    )
    return TrainingStep(captured, program, tuple(str(specs[index].target) for index in step.learned))


def export_program(
    module: torch.nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None
) -> torch.export.ExportedProgram:
    """The module as an exported program without in-place operations, composite operators kept whole."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _exported(module, tuple(args), dict(kwargs or {})).run_decompositions({})
    except Exception as error:
        raise InputError(
            f"a module that torch.export can capture was wanted, {type(module).__name__} is not: "
            f"{type(error).__name__}: {_one_line(error)}"
        ) from error


def _exported(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> torch.export.ExportedProgram:
    # without bytecode tracing, which is what newer versions do when they are not asked
    return torch.export.export(module, args, kwargs, strict=False)


class _Step(torch.fx.Interpreter):
    """Runs an exported program and its gradients, remembering when the trace came to which module."""

    def __init__(
        self, program: torch.export.ExportedProgram, loss: Callable[[Any], torch.Tensor], fixed: set[str]
    ) -> None:
        super().__init__(program.graph_module)
        self.program = program
        self.loss = loss
        specs = program.graph_signature.input_specs
        values = [node.meta["val"] for node in _placeholders(program.graph)]
        self.learned = [
            index
            for index, (spec, value) in enumerate(zip(specs, values, strict=True))
            if spec.kind == InputKind.PARAMETER and value.is_floating_point() and spec.target not in fixed
        ]
        self._marks: list[tuple[Node | None, str]] = []
        self._hooked: set[Any] = set()

    def __call__(self, values: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        inputs = list(values)
        for index in self.learned:
            inputs[index] = values[index].detach().requires_grad_()
        made = self.run(*inputs)
        out_spec = self.program.call_spec.out_spec
        assert out_spec is not None
        # before what the module returns come the buffers that it changed
        user = list(made[len(made) - out_spec.num_leaves :])
        self._mark("loss")
        loss = self.loss(tree_unflatten(user, out_spec))
        self._mark("loss/gradient")
        weights = [inputs[index] for index in self.learned]
        return loss, *torch.autograd.grad(loss, weights, allow_unused=True)

    def run_node(self, n: Node) -> Any:
        path = _path(n)
        self._mark(path)
        made = super().run_node(n)
        backward = f"{path}/gradient" if path else "gradient"
        for tensor in tree_leaves(made):
            function = tensor.grad_fn if isinstance(tensor, torch.Tensor) else None
            # an item is the same tensor again: the first to make it counts
            if function is not None and function not in self._hooked:
                self._hooked.add(function)
                function.register_prehook(lambda _, mark=backward: self._mark(mark))
        return made

    def paths(self, graph: torch.fx.Graph) -> dict[str, str]:
        """Path of every node of the trace, by name."""
        of_start: dict[Node | None, str] = dict(self._marks)
        paths, path = {}, of_start.get(None, "")
        for node in graph.nodes:
            paths[node.name] = path
            path = of_start.get(node, path)
        return paths

    def _mark(self, path: str) -> None:
        # what is traced after the last node so far belongs to this path
        mode = get_proxy_mode()
        assert mode is not None
        self._marks.append((next(iter(reversed(mode.tracer.graph.nodes)), None), path))


def _stand_in_loss(outputs: Any) -> torch.Tensor:
    floats = [
        one for one in tree_leaves(outputs) if isinstance(one, torch.Tensor) and one.is_floating_point()
    ]
    numbers = [one for one in floats if one.numel() == 1]
    if numbers:
        return numbers[0].reshape(())
    if not floats:
        raise InputError("a module with an output of floats was wanted, there is none: give a loss")
    return torch.stack([one.float().mean() for one in floats]).sum()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _placeholders(graph: torch.fx.Graph) -> list[Node]:
    return [node for node in graph.nodes if node.op == "placeholder"]


def _stored(spec: Any) -> Stored:
    label = str(spec.target or getattr(spec.arg, "name", "input")).replace(".", "/")
    return Stored(_OPS.get(spec.kind, "constant"), label)


def _path(node: Node) -> str:
    stack = node.meta.get("nn_module_stack")
    return str(list(stack.values())[-1][0]).replace(".", "/") if stack else ""
