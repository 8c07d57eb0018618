"""Cuts that look at no time: as many nodes, or as many parameters, in each stage. What compilers do."""

import numpy as np
from jaxtyping import Float

from pomona.foundation.errors import SettingError


def even_cuts(amount: Float[np.ndarray, " place"], num_stages: int) -> tuple[int, ...]:
    """Places where `amount`, which grows from place to place, comes nearest to equal shares.

    First and last place are included, and every stage has something between its places.
    """
    last = len(amount) - 1
    if num_stages > last:
        raise SettingError(f"{num_stages} stages are wanted, the model can be cut into {last}")
    cuts = [0]
    for stage in range(1, num_stages):
        wanted = amount[0] + (amount[-1] - amount[0]) * stage / num_stages
        earliest, latest = cuts[-1] + 1, last - (num_stages - stage)
        cuts.append(earliest + int(np.abs(amount[earliest : latest + 1] - wanted).argmin()))
    return (*cuts, last)
