"""Saved networks answer in the sparse runtime as they do in torch."""

import numpy as np
import pytest
import torch

from pomona.compile import SparseSession
from pomona.compile.sparse.session import open_sparse
from pomona.export import load
from pomona.export.command import predict_command
from pomona.export.predictors.network import save_network
from pomona.foundation.errors import ArtifactError
from pomona.networks.build import build
from pomona.networks.spec import Block, Spec
from pomona.tasks import load_task


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    """A network of mobile layers whose 1×1 convolutions are mostly zero, saved."""
    task = load_task("digits")
    (image,) = task.inputs
    (target,) = task.targets
    blocks = (
        Block("stem", "mobile_convolution", {"width": 16, "norm": "batch"}, (image,)),
        Block("first", "linear_bottleneck", {"width": 16, "expand": 2, "norm": "batch"}, ("stem",)),
        Block("pool", "global_pool", {}, ("first",)),
        Block("head", "head", {"shape": (10,)}, ("pool",)),
    )
    spec = Spec(task.inputs, blocks, {target: "head"})
    state = build(spec, 0).state_dict()
    generator = torch.Generator().manual_seed(0)
    for name, weight in state.items():
        if weight.is_floating_point() and "running" not in name:
            weight += 0.3 * torch.randn(weight.shape, generator=generator)
        if weight.ndim == 4 and weight.shape[2:] == (1, 1):
            weight *= torch.rand(weight.shape, generator=generator) < 0.2
    folder = tmp_path_factory.mktemp("sparse") / "artifact"
    example = task.splits["valid"].read(np.arange(4))
    return save_network(folder, task, spec, state, example=example), task, example


def test_an_artifact_runs_natively_and_gives_the_same_predictions(artifact):
    folder, _, example = artifact
    session = SparseSession(folder, runtime="sparse")
    assert session.describe().runtime == "sparse"
    wanted = load(folder).predict_batch(example)
    for name, array in session.run(example).items():
        np.testing.assert_allclose(array, wanted[name], atol=1e-5)


def test_predict_takes_the_sparse_runtime(artifact, tmp_path):
    folder, task, _ = artifact
    source = task.splits["valid"]
    records = getattr(source, "source", source).read(np.arange(5))
    np.savez(tmp_path / "records.npz", **{name: records[name] for name in task.inputs})
    opened = []

    def natively(content, threads):
        opened.append(SparseSession(content, threads=threads, runtime="sparse"))
        return opened[-1]

    said = predict_command(folder, tmp_path / "records.npz", open_session=natively)
    assert said["runtime"] == opened[0].reason
    rows = {
        runtime: predict_command(path, tmp_path / "records.npz", open_session=opener)["predictions"]
        for runtime, path, opener in (
            ("torch", folder, None),
            ("natively", folder, natively),
            ("chosen", folder, open_sparse),
            ("file", folder / "model.onnx", open_sparse),
        )
    }
    labels = {runtime: [row["prediction"] for row in table] for runtime, table in rows.items()}
    assert labels["torch"] == labels["natively"] == labels["chosen"] == labels["file"]
    assert opened[0].is_native


def test_an_artifact_without_an_onnx_file_is_refused(artifact, tmp_path):
    import shutil

    copy = tmp_path / "artifact"
    shutil.copytree(artifact[0], copy)
    (copy / "model.onnx").unlink()
    with pytest.raises(ArtifactError, match=r"has no model\.onnx|model\.onnx is missing"):
        SparseSession(copy)
