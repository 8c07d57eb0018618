"""The graph that a user names: a family, a graph file, an artifact, an ONNX file or their own function."""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pomona.compile.placement.graph import Graph
from pomona.foundation.errors import InputError, SettingError, unknown_name

if TYPE_CHECKING:
    from pomona.compile.placement.capture.fx_graph import Captured

_FORMS = "a family, a graph file (.json, .npz), an artifact folder, an ONNX file or module:function"


def graph_of(
    subject: str,
    *,
    training: bool = False,
    batch: int = 1,
    sizes: Mapping[str, int] | None = None,
    size: float = 1.0,
) -> Graph:
    """The Graph for `subject`.

    | subject | graph |
    |---|---|
    | "gnmt-8" | that family's training step; `size` below 1 makes it smaller |
    | "graph.json", "graph.npz" | what `write_graph` wrote |
    | artifact folder | its network on `batch` examples; with `training` the training step |
    | "model.onnx", "model.tflite" | its nodes; open axes take `batch` and `sizes` (name → size) |
    | "package.module:function", "file.py:function" | what the function gives, see `capture_function` |

    Raises InputError with one line for anything else.
    """
    captured = capture_of(subject, training=training, batch=batch, sizes=sizes, size=size)
    return captured if isinstance(captured, Graph) else captured.graph


def capture_of(
    subject: str,
    *,
    training: bool = False,
    batch: int = 1,
    sizes: Mapping[str, int] | None = None,
    size: float = 1.0,
) -> "Graph | Captured":
    """Like `graph_of`, but of what torch can run with the program that was captured."""
    from pomona.compile.placement.families import FAMILIES

    if batch < 1:
        raise SettingError(f"batch should be a whole number above 0, is {batch}")
    path = Path(subject)
    if subject in FAMILIES:
        if not 0 < size <= 1:
            raise SettingError(f"size should be above 0 and at most 1, is {size}")
        return FAMILIES[subject](size=size)
    if path.suffix in (".json", ".npz"):
        from pomona.compile.placement.graph_file import read_graph

        return read_graph(path)
    if path.suffix in (".onnx", ".tflite"):
        return _graph_of_model(path, training, batch, sizes)
    if ":" in subject and not path.exists():
        return capture_function(subject, training=training)
    if path.is_dir():
        from pomona.compile.placement.capture.artifact import capture_artifact

        return capture_artifact(path, training=training, batch=batch)
    if path.exists() or "/" in subject:
        raise SettingError(f"no graph in {subject}: wanted {_FORMS}")
    raise unknown_name("graph", subject, FAMILIES)


def capture_function(subject: str, *, training: bool = False) -> "Graph | Captured":
    """The graph of what "module:function" returns when it is called without arguments.

    It may be a Graph; a torch module and the tuple (or the dict, by name) of what it is called with, and if
    wanted a loss, a function of what the module returns; or a function of JAX and the tuple of its arguments.
    Only a torch module has a training step.
    """
    made = _function(subject)()
    if isinstance(made, Graph):
        return made
    if not isinstance(made, tuple) or len(made) not in (2, 3) or not callable(made[0]):
        raise InputError(
            f"{subject} should return a Graph, or a model and what it is called with, returned "
            f"{type(made).__name__}"
        )
    model, given, *loss = made
    name = subject.rpartition(":")[2]
    if not _is_torch_module(model):
        from pomona.compile.placement.capture.jaxpr import capture_jax

        if training:
            raise InputError(f"{subject} gives a function of JAX: return its gradient, not training")
        return capture_jax(model, _arguments(given), name=name)
    from pomona.compile.placement.capture.torch_module import capture_forward, capture_training

    args, kwargs = ((), given) if isinstance(given, Mapping) else (_arguments(given), None)
    if not training:
        return capture_forward(model, args, kwargs, name=name)
    return capture_training(model, args, kwargs, loss=loss[0] if loss else None, name=name)


def _graph_of_model(path: Path, training: bool, batch: int, sizes: Mapping[str, int] | None) -> Graph:
    from pomona.compile.placement.capture.onnx_file import capture_onnx

    if training:
        raise SettingError(f"{path} is a finished model without a training step: leave out training")
    if path.suffix == ".onnx":
        return capture_onnx(path, batch=batch, sizes=sizes)
    from pomona.compile.tflite.convert import tflite_as_onnx

    return capture_onnx(tflite_as_onnx(path), name=path.stem, batch=batch, sizes=sizes)


def _function(subject: str) -> Any:
    where, _, name = subject.rpartition(":")
    if str(Path.cwd()) not in sys.path and "" not in sys.path:
        # a command's own folder is on the path, the user's is not
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = _module_in_file(Path(where)) if where.endswith(".py") else importlib.import_module(where)
    except (ImportError, OSError) as error:
        raise SettingError(f"cannot import {where!r} of {subject!r}: {error}") from error
    function = getattr(module, name, None)
    if not callable(function):
        names = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise unknown_name(f"function in {where}", name, names)
    return function


def _module_in_file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up by name
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    return module


def _is_torch_module(model: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)


def _arguments(given: Any) -> tuple[Any, ...]:
    return tuple(given) if isinstance(given, list | tuple) else (given,)
