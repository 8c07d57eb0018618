"""A forecaster of networks says the same in ONNX Runtime as in torch."""

import numpy as np
import pytest
from forecast_samples import QUICK, panel_of, waves

from pomona.export.onnx import onnx_bytes
from pomona.export.sessions.onnx import OnnxSession
from pomona.find.forecasting.conformal import Correction, corrected
from pomona.find.forecasting.members import networks
from pomona.find.forecasting.networks import exporting, member
from pomona.find.forecasting.networks.search import Chosen
from pomona.find.forecasting.problem import Params
from pomona.find.forecasting.scores import scale_of
from pomona.foundation.errors import SpecError
from pomona.foundation.run import temporary_run

ZERO_INFLATED = {"law": "zero-inflated", "scaling": "robust", "knows_series": True, "tells_level": True}
SEASONAL = {"encoder": "multi-rate", "scaling": "difference", "shortcut": "both", "logarithm": True}
READING = {"encoder": "gru", "decoder": "attention", "law": "negative-binomial", "context": "medium"}
PATCHED = {"encoder": "attention", "decoder": "dilated", "law": "huber", "scaling": "standard", "lags": True}


def fitted(panel, points: list[dict]) -> Params:
    found = []
    with temporary_run(seed=0) as run:
        for index, change in enumerate(points):
            point = {**QUICK, **change}
            params = member.fit(panel, panel.ends, run=run, point=point, steps=2, name=str(index))
            found.append(Chosen(str(index), point, 1.0 + index, params))
    return networks.joined(found, [one.params for one in found])


@pytest.mark.parametrize(
    "points",
    [
        pytest.param([ZERO_INFLATED], id="one"),
        pytest.param([SEASONAL, ZERO_INFLATED, READING, PATCHED], id="four", marks=pytest.mark.slow),
    ],
)
def test_onnx_runtime_says_what_torch_says(points):
    series = [np.abs(np.round(values)) for values in waves(7, 40)]
    series[0][4:9] = np.nan
    panel = panel_of(series, static={"kind": np.arange(7, dtype=np.int32) % 3}, levels={"kind": tuple("abc")})
    params = fitted(panel, points)
    correction = Correction(np.random.default_rng(0).standard_normal((4, 9)), 100, is_count=len(points) == 1)
    module, example = exporting.exportable({"networks": params}, {"networks": 1.0}, correction, panel)
    told = OnnxSession(onnx_bytes(module, example)).run(example)
    plain = networks.predict(params, panel, panel.ends)
    wanted = corrected(plain, correction, scale_of(panel, panel.ends))
    largest = np.abs(wanted.quantiles).max()
    np.testing.assert_allclose(told["forecast"], plain.mean, atol=1e-4 * largest)
    floor = np.where((plain.quantiles >= 0).all((1, 2)), 0.0, -np.inf)[:, None, None]
    np.testing.assert_allclose(told["quantiles"], np.maximum(wanted.quantiles, floor), atol=1e-4 * largest)
    np.testing.assert_allclose(told["nonzero"], plain.nonzero, atol=1e-4)


def test_a_member_that_no_file_can_carry_is_named():
    panel = panel_of(waves(3, 20))
    with pytest.raises(SpecError, match=r"ets.*--members networks"):
        exporting.exportable({}, {"networks": 0.5, "ets": 0.5}, Correction(np.zeros((4, 9)), 0), panel)
    none = {"networks": Params({}, {"networks": []})}
    with pytest.raises(SpecError, match="no network"):
        exporting.exportable(none, {"networks": 1.0}, Correction(np.zeros((4, 9)), 0), panel)
