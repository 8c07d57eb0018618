"""A user's own blocks, from a Python file."""

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import torch

from pomona.foundation.errors import SettingError, SpecError
from pomona.networks.arguments import parameters_of
from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.causal import keeps_from_ahead
from pomona.networks.construct import construct
from pomona.networks.infer import example, infer_block
from pomona.networks.signal import Signal
from pomona.networks.spec import Block

TRIED = (
    Signal("image", (8, 16, 16)),
    Signal("series", (16, 8)),
    Signal("vector", (16,)),
    Signal("audio", (4000,), rate=8000),
    Signal("tokens", (16,), num_tokens=32),
)
"""One signal of every kind: a block takes the kinds whose signal it takes."""


def load_blocks(path: str | Path) -> dict[str, BlockKind]:
    """The blocks of a Python file: public functions whose first parameter is `signal`, for joins `signals`.

    All further parameters need defaults; those annotated `Literal[…]` or `bool` are what a search may
    choose. The file is run. Raises SettingError when there is no such file or no block in it, SpecError when
    the file fails, a name is taken, or a block takes no kind of signal.
    """
    path = Path(path)
    if not path.is_file():
        raise SettingError(f"no file of blocks {path}: give a Python file")
    source = hashlib.sha256(path.read_bytes()).hexdigest()
    module = _run(path, source)
    functions = {name: value for name, value in vars(module).items() if _is_block(name, value, module)}
    if not functions:
        raise SettingError(
            f"{path} has no block: write `def my_block(signal, *, width: int = 64) -> nn.Module`"
        )
    return {name: _kind(name, function, source) for name, function in functions.items()}


def _run(path: Path, source: str) -> ModuleType:
    name = f"pomona_user_blocks_{source[:16]}"
    description = importlib.util.spec_from_file_location(name, path)
    if description is None or description.loader is None:
        raise SettingError(f"{path} is no Python file: its name ends in .py")
    module = importlib.util.module_from_spec(description)
    # dataclasses and annotations look their module up by name
    sys.modules[name] = module
    try:
        description.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise SpecError(f"{path} fails: {type(error).__name__}: {error}") from error
    return module


def _is_block(name: str, value: Any, module: ModuleType) -> bool:
    if name.startswith("_") or not inspect.isfunction(value) or value.__module__ != module.__name__:
        return False
    return next(iter(inspect.signature(value).parameters), "") in ("signal", "signals")


def _kind(name: str, function: Callable[..., Any], source: str) -> BlockKind:
    if name in BLOCKS:
        raise SpecError(f"block {name!r}: Pomona has a block of this name, choose another")
    arguments = parameters_of(function)
    for argument, (_, default) in arguments.items():
        if default is inspect.Parameter.empty:
            raise SpecError(f"block {name!r}: argument {argument!r} needs a default")
    choices = {
        argument: choice
        for argument, (annotation, _) in arguments.items()
        if (choice := _choices(annotation))
    }
    is_join = next(iter(inspect.signature(function).parameters)) == "signals"
    every = tuple(signal.kind for signal in TRIED)
    kind = BlockKind(function, every, choices, role="join" if is_join else "body", source=source)
    kind = replace(kind, takes=_taken(name, kind))
    return replace(kind, causal=_causal(kind, arguments))


def _choices(annotation: Any) -> tuple:
    if annotation is bool:
        return (False, True)
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _taken(name: str, kind: BlockKind) -> tuple[str, ...]:
    """The kinds of signal that the block takes, told by trying."""
    taken, reason = [], ""
    for signal in TRIED:
        sources = (signal, signal) if kind.role == "join" else (signal,)
        try:
            infer_block(Block(name, name, {}, ("x",)), sources, {**BLOCKS, name: kind})
            _run_block(kind, sources)
            taken.append(signal.kind)
        except Exception as error:
            reason = str(error)
    if not taken:
        raise SpecError(f"block {name!r} takes no kind of signal; the last reason: {reason}")
    return tuple(taken)


def _run_block(kind: BlockKind, sources: tuple[Signal, ...]) -> None:
    """Runs the block on two examples of zeros: the meta device lets wrong dtypes pass."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        construct(kind, sources, {}, BLOCKS)(*[example(source, 2) for source in sources])


def _causal(kind: BlockKind, arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The arguments that keep the block from looking ahead, told by trying: none, or `causal`."""
    candidates: list[dict[str, Any]] = [{}, {"causal": True}] if "causal" in arguments else [{}]
    return next((args for args in candidates if keeps_from_ahead(kind, args)), None)
