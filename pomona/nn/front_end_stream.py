"""A front end on sound that is still coming."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.foundation.errors import SettingError
from pomona.nn.front_end import FrontEnd
from pomona.nn.masks import takes_mask
from pomona.nn.mel import LogMel
from pomona.nn.pcen import Pcen


class FrontEndStream:
    """Frames as soon as the samples that they depend on are there, equal to those of the whole recording.

    A frame comes `reach` samples after its centre. What is kept is bounded: the samples that the next frame
    depends on and the moving average of sPCEN. Raises SettingError for a front end that looks at the whole
    recording.

    >>> stream = FrontEndStream(leaf(16_000, 40, 401, 160))
    >>> frames = torch.cat([stream.push(piece) for piece in sound.split(512, 1)] + [stream.finish()], 1)
    """

    def __init__(self, front_end: FrontEnd | LogMel):
        self.bank: nn.Module = front_end if isinstance(front_end, LogMel) else front_end.bank
        self.compression = None if isinstance(front_end, LogMel) else front_end.compression
        if self.compression is not None and takes_mask(self.compression):
            name = type(self.compression).__name__
            raise SettingError(f"{name} looks at a whole recording: choose a front end that streams")
        self.hop: int = front_end.hop
        self.reach: int = self.bank.reach  # type: ignore[assignment]
        self._kept: Tensor | None = None
        self._before = 0
        self._num_frames = 0
        self._average: Tensor | None = None

    def push(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frame filter"]:
        """The frames that these samples complete, perhaps none."""
        self._kept = samples if self._kept is None else torch.cat((self._kept, samples), 1)
        known = self._before + self._kept.shape[1]
        return self._frames(max(0, (known - 1 - self.reach) // self.hop + 1))

    def finish(self) -> Float[Tensor, "batch frame filter"]:
        """The last frames; silence follows."""
        if self._kept is None:
            raise SettingError("a stream that had no samples has no frames: push some before finish")
        return self._frames(-(-(self._before + self._kept.shape[1]) // self.hop))

    def _frames(self, stop: int) -> Tensor:
        """Frames from the first that has not been given to `stop`, and lets go of what no later one needs."""
        assert self._kept is not None
        first = self._num_frames - self._before // self.hop
        energies = self.bank(self._kept)[:, first : max(stop - self._before // self.hop, first)]
        self._num_frames = max(self._num_frames, stop)
        past = -(-self.reach // self.hop)
        drop = max(0, (self._num_frames - past) * self.hop - self._before)
        self._kept, self._before = self._kept[:, drop:], self._before + drop
        return self._compressed(energies)

    def _compressed(self, energies: Tensor) -> Tensor:
        if self.compression is None or energies.shape[1] == 0:
            return energies
        if not isinstance(self.compression, Pcen):
            return self.compression(energies)
        y, self._average = self.compression.continued(energies, self._average)
        return y
