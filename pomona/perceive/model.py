"""A TFLite model that LiteRT runs on the CPU."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pomona.export.sessions.interpreter import open_interpreter
from pomona.foundation.assets import fetch
from pomona.perceive.crop import Border, Crop
from pomona.perceive.region import Region


class Model:
    """One loaded model. It holds buffers: run it for one frame at a time.

    `low` and `high` are the values that a black and a white pixel become.
    """

    def __init__(
        self,
        path: Path,
        *,
        low: float = 0.0,
        high: float = 1.0,
        border: Border = "replicate",
        threads: int = 1,
    ):
        self._interpreter = open_interpreter(path, path.name, threads=threads)
        entry = self._interpreter.get_input_details()[0]
        self._input = entry["index"]
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]
        self.height, self.width = map(int, entry["shape"][1:3])
        self._crop = Crop(self.width, self.height)
        self._low = np.float32(low)
        self._scale = np.float32((high - low) / 255)
        self._border: Border = border

    def run(self, image: np.ndarray, region: Region, wanted: Sequence[int]) -> list[np.ndarray]:
        """The outputs numbered `wanted` for the pixels of `region`; each leads with an axis of one."""
        pixels = self._crop.take(image, region, self._border)
        # the view must be gone when the model runs
        into = self._interpreter.tensor(self._input)()[0]
        np.multiply(pixels, self._scale, out=into)
        if self._low:
            into += self._low
        del into
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(self._outputs[number]) for number in wanted]

    def view(self, number: int) -> np.ndarray:
        """An output of the last run, not copied: let go of it before the next."""
        return self._interpreter.tensor(self._outputs[number])()


def load_model(asset: str, *, low: float = 0.0, border: Border = "replicate", threads: int = 1) -> Model:
    """The model of an asset's name, fetched when it is not on this machine."""
    return Model(fetch(asset), low=low, border=border, threads=threads)
