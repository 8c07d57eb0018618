"""Weights of the two networks of a world: from the cache, else trained here and kept there.

Training goes on where it was stopped, as any fit does, when the same run is started again.
"""

import hashlib
from dataclasses import asdict
from pathlib import Path

from torch import Tensor, nn

from pomona.fit.loop import fit
from pomona.fit.settings import FitSettings
from pomona.foundation.assets.folders import cache_folder
from pomona.foundation.errors import SettingError
from pomona.foundation.files import to_json, write_bytes
from pomona.foundation.run import Run
from pomona.networks.build import build
from pomona.networks.spec import Spec
from pomona.tasks.task import Task


def trained(task: Task, spec: Spec, settings: FitSettings, *, name: str, run: Run) -> nn.Module:
    """The network of `spec`, trained on `task`; equal ones with equal settings and seeds are trained once."""
    parts = [task.fingerprint, spec.to_json(), asdict(settings), run.seed]
    key = hashlib.blake2b(to_json(parts).encode(), digest_size=12).hexdigest()
    path = cache_folder() / "worlds" / f"{name}-{key}.safetensors"
    network = build(spec, 0)
    network.load_state_dict(_kept(path) or _fitted(task, spec, settings, path, name, run))
    return network.eval()


def _kept(path: Path) -> dict[str, Tensor] | None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError):
        return None


def _fitted(
    task: Task, spec: Spec, settings: FitSettings, path: Path, name: str, run: Run
) -> dict[str, Tensor]:
    from safetensors.torch import save

    result = fit(task, spec, settings, run=run, name=f"world {name}".replace(" ", "-"))
    run.check_interrupt()
    if result.failed:
        raise SettingError(f"training the {name} of the world came to nothing: {result.failed}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, save(result.state))
    return result.state
