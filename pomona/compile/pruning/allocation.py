"""How a sparsity is spread over layers: the share of its weights that each keeps."""

from collections.abc import Mapping

import numpy as np


def uniform(shapes: Mapping[str, tuple[int, ...]], sparsity: float) -> dict[str, float]:
    """Every layer keeps the same share."""
    return {name: 1 - sparsity for name in shapes}


def erk(shapes: Mapping[str, tuple[int, ...]], sparsity: float) -> dict[str, float]:
    """Layers keep a share in proportion to the sum of their shape over its product; at most all.

    What would be above all is dense, and the others share what is left (Evci et al. 2020, section 3 (1), with
    the kernel). Costs more time than a uniform sparsity: small layers that see many pixels stay fuller.
    """
    sizes = {name: float(np.prod(shape)) for name, shape in shapes.items()}
    raw = {name: sum(shape) / sizes[name] for name, shape in shapes.items()}
    wanted = (1 - sparsity) * sum(sizes.values())
    full: set[str] = set()
    while True:
        open_weight = sum(raw[name] * sizes[name] for name in shapes if name not in full)
        rest = wanted - sum(sizes[name] for name in full)
        scale = rest / open_weight if open_weight else 0.0
        over = {name for name in shapes if name not in full and scale * raw[name] > 1}
        if not over:
            return {name: 1.0 if name in full else scale * raw[name] for name in shapes}
        full |= over
