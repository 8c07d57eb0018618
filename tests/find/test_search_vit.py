"""Model search proposes, builds, trains and saves networks with the blocks of vision transformers."""

import numpy as np

from pomona.export.predictors.load import load
from pomona.find.search.engine import search
from pomona.find.search.settings import SearchSettings
from pomona.foundation.run import open_run
from pomona.tasks import load_task


def test_a_search_finds_a_network_of_image_tokens_and_transformer_layers(tmp_path):
    settings = SearchSettings(
        trials=3, steps=4, starts=3, finalists=1, finalist_seeds=1, finalist_steps=1.0, ensemble_size=1,
        blocks_allowed=("image_tokens", "transformer"),
    )  # fmt: skip
    task = load_task("digits")
    with open_run(tmp_path / "run", verb="search", subject="digits", identity={}, seed=0, threads=1) as run:
        result = search(task, settings, run=run)
        predictor = load(run.folder / result.artifact)
        exported = load(run.folder / result.artifact / "model.onnx")
    assert result.trials.failed == 0
    used = {block["block"] for block in predictor.artifact.spec["blocks"]}
    assert used >= {"image_tokens", "transformer"}
    batch = task.splits["test"].read(np.arange(5))
    said, again = (p.predict_batch(batch)["digit"] for p in (predictor, exported))
    np.testing.assert_allclose(said, again, atol=1e-4)
