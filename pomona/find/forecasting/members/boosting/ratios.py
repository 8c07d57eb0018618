"""How far off a forest was, as quantiles: by the step ahead, or for sales by the size of what it said."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from pomona.find.forecasting.problem import QUANTILES

NUM_BINS = 20
FEWEST = 50


@dataclass(frozen=True)
class Ratios:
    """Quantiles of errors in bins; a forecast between two bins gets what lies between."""

    centres: Float[np.ndarray, " bin"]
    """Step ahead, or logarithm of what was said."""
    quantiles: Float[np.ndarray, "bin quantile"]
    """Of the error, or of the true value by what was said."""
    nonzero: Float[np.ndarray, " bin"]

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays."""
        return {f"ratios/{name}": value for name, value in vars(self).items()}

    @staticmethod
    def from_arrays(arrays: Mapping[str, np.ndarray]) -> "Ratios":
        """What `arrays` gave."""
        return Ratios(**{name: arrays[f"ratios/{name}"] for name in ("centres", "quantiles", "nonzero")})


def fit_ratios(
    said: Float[np.ndarray, " row"],
    true: Float[np.ndarray, " row"],
    ahead: Int64[np.ndarray, " row"],
    *,
    is_sales: bool,
) -> Ratios:
    """The quantiles of what was held out, in bins of equal numbers."""
    place = np.log(np.maximum(said, 1e-6)) if is_sales else ahead.astype(np.float64)
    order = np.argsort(place, kind="stable")
    number = int(np.clip(len(order) // FEWEST, 1, NUM_BINS))
    bins = np.array_split(order, number)
    off = true / np.maximum(said, 1e-6) if is_sales else true - said
    quantiles = np.array([np.quantile(off[one], QUANTILES) for one in bins])
    centres = np.array([place[one].mean() for one in bins])
    nonzero = np.array([(true[one] != 0).mean() for one in bins])
    keep = np.concatenate([[True], np.diff(centres) > 0])
    return Ratios(centres[keep], quantiles[keep], nonzero[keep])


def ratio_quantiles(
    ratios: Ratios, said: Float[np.ndarray, " row"]
) -> tuple[Float[np.ndarray, "row quantile"], Float[np.ndarray, " row"]]:
    """Quantiles of sales, and the probability that there are any."""
    place = np.log(np.maximum(said, 1e-6))
    by = _between(ratios, place)
    return np.sort(by * said[:, None], axis=1), np.interp(place, ratios.centres, ratios.nonzero)


def quantiles_around(
    ratios: Ratios, said: Float[np.ndarray, " row"], ahead: Int64[np.ndarray, " row"]
) -> Float[np.ndarray, "row quantile"]:
    """Quantiles around what was said, by the step ahead."""
    return np.sort(said[:, None] + _between(ratios, ahead.astype(np.float64)), axis=1)


def _between(ratios: Ratios, place: np.ndarray) -> Float[np.ndarray, "row quantile"]:
    columns = [np.interp(place, ratios.centres, ratios.quantiles[:, i]) for i in range(len(QUANTILES))]
    return np.stack(columns, axis=1)
