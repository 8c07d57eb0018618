"""Fitted members and forecasts in files: arrays as safetensors, the rest as JSON. Nothing is pickled."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pomona.find.forecasting.problem import Forecast, Params
from pomona.foundation.errors import ArtifactError
from pomona.foundation.files import read_json, to_json, write_bytes

ARRAYS, PLAIN = "params.safetensors", "params.json"


def params_files(params: Params) -> dict[str, bytes]:
    """The files of a fitted member, by name."""
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(array) for name, array in params.arrays.items()}
    return {ARRAYS: save(arrays), PLAIN: to_json(params.plain).encode()}


def write_params(folder: Path, params: Params) -> None:
    """Keeps a fitted member in a folder; the JSON is written last, so that its presence means it is whole."""
    for name, content in params_files(params).items():
        write_bytes(folder / name, content)


def read_params(folder: Path) -> Params:
    """What `write_params` kept. Raises ArtifactError when a file is not readable."""
    return Params(_load(folder / ARRAYS), read_json(folder / PLAIN))


def write_forecasts(path: Path, forecasts: Sequence[Forecast]) -> None:
    """Keeps forecasts in one file."""
    write_bytes(path, forecasts_bytes(forecasts))


def forecasts_bytes(forecasts: Sequence[Forecast]) -> bytes:
    """Forecasts as one file's content."""
    from safetensors.numpy import save

    arrays = {}
    for index, one in enumerate(forecasts):
        for name in ("mean", "quantiles", "nonzero"):
            array = getattr(one, name)
            if array is not None:
                arrays[f"{index}/{name}"] = np.ascontiguousarray(array, np.float32)
    return save(arrays)


def read_forecasts(path: Path) -> list[Forecast]:
    """What `write_forecasts` kept."""
    arrays = _load(path)
    number = 1 + max(int(name.partition("/")[0]) for name in arrays)
    return [
        Forecast(arrays[f"{i}/mean"], arrays[f"{i}/quantiles"], arrays.get(f"{i}/nonzero"))
        for i in range(number)
    ]


def _load(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ArtifactError(f"{path} is not readable as safetensors: {error}") from error
