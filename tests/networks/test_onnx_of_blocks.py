"""Two networks that together hold nearly every block pass through torch's ONNX exporter and ONNX Runtime."""

import contextlib
import io
import logging
import warnings

import numpy as np
import onnxruntime
import pytest
import torch
from network_samples import inputs_of, shaken

from pomona.networks.blocks import BLOCKS
from pomona.networks.build import build
from pomona.networks.spec import Block, Spec
from pomona.tasks.feature import Feature

IMAGES = Spec(
    {"image": Feature("image", "image", (2, 9, 8))},
    (
        Block("a", "convolution", {"width": 16, "stride": 2}, ("image",)),
        Block("b", "residual", {"width": 16, "activation": "silu", "norm": "layer"}, ("a",)),
        Block("c", "inverted_residual", {"width": 24, "squeeze": True, "residual": False}, ("b",)),
        Block("d", "cell", {"width": 16, "residual": True}, ("b",)),
        Block("e", "concatenate", {}, ("c", "d")),
        Block("f", "dilated", {"width": 16}, ("e",)),
        Block("g", "squeeze_excite", {}, ("f",)),
        Block("h", "pool", {"method": "max"}, ("g",)),
        Block("i", "upsample", {}, ("h",)),
        Block("j", "pool", {"method": "mean", "size": 3}, ("i",)),
        Block("light", "mobile_convolution", {"depthwise": True}, ("f",)),
        Block("mobile", "linear_bottleneck", {"width": 16, "expand": 2}, ("light",)),
        Block("k", "pool", {"method": "strided"}, ("mobile",)),
        Block("l", "resize", {"shape": (9, 8)}, ("k",)),
        Block("m", "normalisation", {}, ("l",)),
        Block("n", "patches", {"size": 4, "width": 16}, ("m",)),
        Block("o", "transformer", {}, ("n",)),
        Block("p", "global_pool", {"method": "attentive"}, ("o",)),
        Block("q", "flatten", {}, ("j",)),
        Block("r", "residual_dense", {}, ("p",)),
        Block("s", "concatenate", {}, ("r", "q")),
        Block("pixels", "pixel_head", {"classes": 3, "size": (9, 8)}, ("h",)),
        Block("numbers", "head", {"shape": (2, 2)}, ("s",)),
        Block("t", "rows", {}, ("l",)),
        Block("u", "positions", {}, ("t",)),
        Block("rows", "step_head", {"classes": 2}, ("u",)),
        Block("v", "standardised_convolution", {"width": 16}, ("image",)),
        Block("w", "bottleneck", {"width": 32, "stride": 2}, ("v",)),
        Block("x", "image_tokens", {"size": 2, "width": 16, "registers": 2}, ("w",)),
        Block("y", "transformer", {"rotary": False, "layer_scale": True, "drop_path": 0.1}, ("x",)),
        Block("z", "token_vector", {"method": "mean", "count": 3}, ("y",)),
        Block("places", "as_grid", {"shape": (3, 2)}, ("y",)),
        Block("tokens", "head", {"shape": (3,)}, ("z",)),
        Block("grid", "pixel_head", {"classes": 2, "size": (9, 8)}, ("places",)),
    ),
    {"pixels": "pixels", "numbers": "numbers", "rows": "rows", "tokens": "tokens", "grid": "grid"},
)

SERIES = Spec(
    {
        "sound": Feature("sound", "audio", (1000,), rate=8000, variable=True),
        "words": Feature("words", "tokens", (9,), num_tokens=12, variable=True),
        "number": Feature("number", "number", ()),
        "category": Feature("category", "category", (), classes=("a", "b", "c")),
    },
    (
        Block("a", "melspectrogram", {"bands": 16}, ("sound",)),
        Block("b", "gru", {"width": 8, "bidirectional": True}, ("a",)),
        Block("c", "pool", {"method": "mean", "size": 3}, ("b",)),
        Block("d", "convolution", {"width": 16, "stride": 2, "causal": True}, ("c",)),
        Block("e", "global_pool", {"method": "max"}, ("d",)),
        Block("leaf", "leaf", {"filters": 6}, ("sound",)),
        Block("sinc", "front_end", {"kind": "sincnet+", "filters": 6}, ("sound",)),
        Block("ears", "add", {}, ("leaf", "sinc")),
        Block("heard", "global_pool", {}, ("ears",)),
        Block("f", "embed", {"width": 16, "positions": "learned"}, ("words",)),
        Block("g", "transformer", {"causal": True}, ("f",)),
        Block("sparse", "bigbird", {"block_size": 2, "random_blocks": 1}, ("g",)),
        Block("h", "dilated", {"width": 16, "causal": True}, ("sparse",)),
        Block("summed", "etc", {"radius": 2, "stretch": 4}, ("h",)),
        Block("i", "pool", {"method": "max"}, ("summed",)),
        Block("j", "resize", {"shape": (9,)}, ("i",)),
        Block("k", "add", {}, ("j", "g")),
        Block("l", "lstm", {"width": 8}, ("k",)),
        Block("m", "global_pool", {"method": "last"}, ("l",)),
        Block("n", "steps", {"size": 4}, ("m",)),
        Block("o", "as_image", {}, ("n",)),
        Block("p", "network", {"name": "convolution"}, ("o",)),
        Block("q", "concatenate", {}, ("e", "m", "p", "heard", "number", "category")),
        Block("r", "dense", {"width": 16, "norm": "layer", "activation": "gelu"}, ("q",)),
        Block("value", "head", {"shape": ()}, ("r",)),
        Block("tags", "step_head", {"classes": 4}, ("l",)),
    ),
    {"value": "value", "tags": "tags"},
)


def export(network, inputs):
    """The bytes of the ONNX file, made quietly."""
    buffer = io.BytesIO()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    dynamic = {"inputs": {name: {0: torch.export.Dim("batch")} for name in inputs}}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            kwargs={"inputs": inputs},
            dynamic_shapes=dynamic,
            dynamo=True,
            input_names=list(inputs),
            output_names=list(network.spec.outputs),
        ).save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("spec", [IMAGES, SERIES], ids=["images", "series"])
def test_onnx_runtime_computes_what_torch_computes_at_another_batch_size(spec):
    network = shaken(build(spec, 0)).eval()
    session = onnxruntime.InferenceSession(export(network, inputs_of(spec, dtype=torch.float32)))
    inputs = inputs_of(spec, 1, num_examples=5, dtype=torch.float32)
    with torch.no_grad():
        expected = network(inputs)
    outputs = session.run(None, {name: x.numpy() for name, x in inputs.items()})
    for (name, y), output in zip(expected.items(), outputs, strict=True):
        np.testing.assert_allclose(output, y.numpy(), rtol=1e-4, atol=1e-4, err_msg=name)


def test_the_two_networks_hold_nearly_every_block():
    used = {block.block for spec in (IMAGES, SERIES) for block in spec.blocks}
    assert set(BLOCKS) - used == {"activation", "dropout"}
