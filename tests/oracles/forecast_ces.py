"""Makes forecast_ces.npz: complex smoothing in all four forms, as statsforecast 2.0.1 fits and forecasts it.

python tests/oracles/forecast_ces.py
"""

from pathlib import Path

import numpy as np

SEASON, HORIZON = 4, 10


def main() -> None:
    """Writes constants, states and forecasts of each form, and a value more than was fitted."""
    from statsforecast.ces import auto_ces, forecast_ces

    generator, steps = np.random.default_rng(0), np.arange(72.0)
    values = 50 + 10 * np.sin(steps * np.pi / 2) + 0.3 * steps + generator.normal(size=len(steps))
    arrays = {"values": values}
    for form in "NSPF":
        model = auto_ces(values.copy(), m=SEASON, model=form)
        back = SEASON if form != "N" else 1
        arrays[f"{form}/states"] = model["states"][model["n"] : model["n"] + back]
        arrays[f"{form}/constants"] = np.array(
            [model["par"][n] for n in ("alpha_0", "alpha_1", "beta_0", "beta_1")]
        )
        arrays[f"{form}/said"] = forecast_ces(model, HORIZON)["mean"]
        arrays[f"{form}/sigma2"] = np.array(model["sigma2"])
    np.savez_compressed(Path(__file__).with_suffix(".npz"), **arrays)


if __name__ == "__main__":
    main()
