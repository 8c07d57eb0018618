"""Per-channel energy normalisation with learned, per-channel constants (Wang et al. 2017; LEAF's sPCEN)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.nn.clamped import clamped
from pomona.nn.scale import Scale

STARTS = {"alpha": 0.96, "delta": 2.0, "root": 2.0, "smooth": 0.04}
FLOOR = 1e-12
LEAST_DELTA = 1e-3


class Pcen(nn.Module):
    """(batch, frame, filter) → (x / (1e-12 + M)^alpha + delta)^(1/root) - delta^(1/root), the same shape.

    M is the moving average M_t = (1 - smooth) M_{t-1} + smooth x_t that starts at the first frame. Energies
    are at least `floor`. The four constants of a filter are learned relative to their start: weights of 1
    are those of the release.
    """

    def __init__(self, num_filters: int, *, floor: float = 1e-8):
        super().__init__()
        self.floor = floor
        self.alpha, self.delta, self.root, self.smooth = (Scale(num_filters, 1.0) for _ in STARTS)
        for name, start in STARTS.items():
            self.register_buffer(f"start_{name}", torch.full((num_filters,), start), persistent=False)

    def forward(self, x: Float[Tensor, "batch frame filter"]) -> Float[Tensor, "batch frame filter"]:
        return self.continued(x, None)[0]

    def continued(
        self, x: Float[Tensor, "batch frame filter"], average: Float[Tensor, "batch filter"] | None
    ) -> tuple[Float[Tensor, "batch frame filter"], Float[Tensor, "batch filter"]]:
        """The output after frames that left the moving average at `average`, and the average it leaves."""
        constants = self.constants()
        x = x.clamp(min=self.floor)
        averages = moving_average(x, constants["smooth"], average)
        power = 1 / constants["root"]
        quiet = x * (FLOOR + averages) ** -constants["alpha"]
        y = (quiet + constants["delta"]) ** power - constants["delta"] ** power
        return y, averages[:, -1]

    def constants(self) -> dict[str, Float[Tensor, " filter"]]:
        """The four constants of every filter, within their bounds."""
        bounds = {"alpha": (0.0, 1.0), "delta": (LEAST_DELTA, 1e6), "root": (1.0, 1e6), "smooth": (0.0, 1.0)}
        return {
            name: clamped(getattr(self, name)(getattr(self, f"start_{name}")), *bounds[name])
            for name in STARTS
        }


def moving_average(
    x: Float[Tensor, "batch frame filter"],
    smooth: Float[Tensor, " filter"],
    before: Float[Tensor, "batch filter"] | None = None,
) -> Float[Tensor, "batch frame filter"]:
    """M_t = (1 - smooth) M_{t-1} + smooth x_t for all frames at once, after `before` or from M_0 = x_0.

    In ⌈log₂ frames⌉ steps, each of which doubles how far back every frame has looked.
    """
    decay = 1 - smooth
    first = x[:, 0] if before is None else smooth * x[:, 0] + decay * before
    y = torch.cat((first[:, None], smooth * x[:, 1:]), 1)
    distance = 1
    while distance < x.shape[1]:
        y = torch.cat((y[:, :distance], y[:, distance:] + decay * y[:, :-distance]), 1)
        decay = decay.square()
        distance *= 2
    return y
