"""Model search proposes, builds, trains and saves networks with the blocks for long sequences."""

import numpy as np
import pytest

from pomona.export.predictors.load import load
from pomona.find.search.engine import search
from pomona.find.search.settings import SearchSettings
from pomona.foundation.run import open_run
from pomona.tasks import load_task


@pytest.mark.parametrize("block", ["bigbird", pytest.param("etc", marks=pytest.mark.slow)])
def test_a_search_finds_a_network_that_contains_the_block(tmp_path, block):
    settings = SearchSettings(
        trials=3, steps=4, starts=3, finalists=1, finalist_seeds=1, finalist_steps=1.0, ensemble_size=1,
        blocks_allowed=(block,),
    )  # fmt: skip
    task = load_task("needle", num_train=64, time=64)
    with open_run(tmp_path / "run", verb="search", subject="needle", identity={}, seed=0, threads=1) as run:
        result = search(task, settings, run=run)
        predictor = load(run.folder / result.artifact)
        exported = load(run.folder / result.artifact / "model.onnx")
    assert result.trials.failed == 0
    assert block in {one["block"] for one in predictor.artifact.spec["blocks"]}
    batch = task.splits["test"].read(np.arange(5))
    said, again = (p.predict_batch(batch)["value"] for p in (predictor, exported))
    np.testing.assert_allclose(said, again, atol=1e-4)
