"""Checkpoints that survive the end of the process at any moment.

A checkpoint is NUMBER.safetensors and NUMBER.json. The JSON names the hash of both and is written
after them, each to a temporary name, synced and renamed: without a whole pair there is no checkpoint. The
last two are kept, so that one damaged on the disk costs no more than the way from the one before.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from pomona.foundation.errors import RunError
from pomona.foundation.files import read_json, to_json, write_bytes, write_json

NUM_KEPT = 2


@dataclass(frozen=True)
class Checkpoint:
    """A state as it was saved."""

    step: int
    tensors: dict[str, Tensor]
    state: dict[str, Any]


def save_checkpoint(
    folder: Path, step: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any], *, identity: str
) -> None:
    """Keeps tensors and plain data under a step; of earlier ones the last stays, all others are removed.

    `identity` says what work this is. Raises RunError when the disk is full; older checkpoints then stay.
    """
    # tensors that share memory, as tied weights do, are saved once each
    apart = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    content = safetensors.torch.save(apart)
    write_bytes(_tensor_file(folder, step), content)
    plain = {"identity": identity, "step": step, "state": dict(state)}
    write_json(_state_file(folder, step), {**plain, "hash": _hash(content, plain)})
    found = _steps(folder)
    # a later one was passed over as damaged, or this would not be saved
    kept = [other for other in found if other <= step][:NUM_KEPT]
    for other in set(found) - set(kept):
        # the JSON goes first: without it the tensors count for nothing
        _state_file(folder, other).unlink(missing_ok=True)
        _tensor_file(folder, other).unlink(missing_ok=True)


def latest_checkpoint(folder: Path, *, identity: str) -> Checkpoint | None:
    """The newest whole checkpoint of a folder, None when there is none.

    One that is damaged is passed over. Raises RunError when a whole one belongs to other work.
    """
    for step in _steps(folder):
        found = _read(folder, step)
        if found is None:
            continue
        plain, tensors = found
        if plain["identity"] != identity:
            raise RunError(
                f"{folder} holds checkpoints of other work (another network, task, seed or settings): "
                "choose another folder or name, or remove it"
            )
        return Checkpoint(step, tensors, plain["state"])
    return None


def below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose name starts with `prefix`, without it."""
    return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _steps(folder: Path) -> list[int]:
    """Steps of which there is a state file, the newest first."""
    return sorted((int(p.stem) for p in Path(folder).glob("*.json") if p.stem.isdigit()), reverse=True)


def _read(folder: Path, step: int) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
    try:
        plain = read_json(_state_file(folder, step))
        content = _tensor_file(folder, step).read_bytes()
        if plain["hash"] != _hash(content, plain) or plain["step"] != step:
            return None
        return plain, safetensors.torch.load(content)
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError):
        return None


def _hash(content: bytes, plain: Mapping[str, Any]) -> str:
    """Of the tensors and of everything else that was said of them."""
    said = to_json([plain["identity"], plain["step"], plain["state"]])
    return hashlib.blake2b(content + said.encode(), digest_size=16).hexdigest()


def _tensor_file(folder: Path, step: int) -> Path:
    return Path(folder) / f"{step:09d}.safetensors"


def _state_file(folder: Path, step: int) -> Path:
    return Path(folder) / f"{step:09d}.json"
