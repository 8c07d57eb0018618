"""A session that runs a TFLite model in LiteRT; it needs no torch."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pomona.export.sessions.interpreter import open_interpreter
from pomona.foundation.errors import DataError


class LiteRtSession:
    """Runs a TFLite model, from a file or from the bytes of one, on the CPU, one example after the other.

    Not for several threads at once. Raises AssetError when LiteRT cannot load the model.
    """

    def __init__(self, model: str | Path | bytes, *, threads: int = 1):
        source = model if isinstance(model, bytes) else Path(model)
        name = "the model" if isinstance(model, bytes) else str(model)
        self._interpreter = open_interpreter(source, name, threads=threads)
        self.threads = threads
        self._inputs = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()

    @property
    def inputs(self) -> dict[str, tuple[tuple[int | None, ...], np.dtype]]:
        """Input → shape and dtype, as the model has them."""
        return {one["name"]: (tuple(map(int, one["shape"])), np.dtype(one["dtype"])) for one in self._inputs}

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Head → its output. Raises DataError when an input is missing or has another shape or type."""
        missing = [one["name"] for one in self._inputs if one["name"] not in inputs]
        if missing:
            raise DataError(f"the model reads {', '.join(self.inputs)}; the batch lacks {', '.join(missing)}")
        rows = [self._one(inputs, row) for row in range(len(inputs[self._inputs[0]["name"]]))]
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

    def _one(self, inputs: Mapping[str, np.ndarray], row: int) -> dict[str, np.ndarray]:
        for one in self._inputs:
            try:
                self._interpreter.set_tensor(one["index"], inputs[one["name"]][row : row + 1])
            except (ValueError, RuntimeError) as error:
                raise DataError(f"LiteRT refuses the batch: {' '.join(str(error).split())}") from error
        self._interpreter.invoke()
        return {one["name"]: self._interpreter.get_tensor(one["index"]) for one in self._outputs}
