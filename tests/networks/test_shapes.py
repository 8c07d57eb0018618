"""An impossible network is refused in one line that names the block and says what would be possible."""

import pytest
from network_samples import FEATURES

from pomona.foundation.errors import SpecError
from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.build import build
from pomona.networks.shapes import signals
from pomona.networks.signal import Signal
from pomona.networks.spec import Block, Spec
from pomona.tasks.feature import Feature


def spec_of(*blocks: Block, kind: str = "vector") -> Spec:
    return Spec({"x": FEATURES[kind]}, blocks, {"y": blocks[-1].id})


def test_signals_are_those_of_the_tensors():
    spec = spec_of(
        Block("a", "embed", {"width": 8}, ("x",)),
        Block("b", "pool", {"size": 5}, ("a",)),
        Block("c", "as_image", {}, ("b",)),
        Block("d", "convolution", {"width": 4, "stride": 2}, ("c",)),
        Block("e", "global_pool", {}, ("d",)),
        kind="tokens",
    )
    assert signals(spec) == {
        "x": Signal("tokens", (12,), 20, variable=True),
        "a": Signal("series", (12, 8), variable=True),
        "b": Signal("series", (3, 8), variable=True),
        "c": Signal("image", (1, 3, 8)),
        "d": Signal("image", (4, 2, 4)),
        "e": Signal("vector", (4,)),
    }


@pytest.mark.parametrize(
    ("kind", "block", "args", "message"),
    [
        ("vector", "convolution", {}, "takes image or series, got vector 16"),
        ("vector", "danse", {}, "no block 'danse'; did you mean 'dense'"),
        ("vector", "dense", {"widht": 3}, "no argument 'widht'; did you mean 'width'"),
        ("vector", "dense", {"width": 0}, "argument 'width' is a whole number from 1 to 65536, got 0"),
        ("vector", "dense", {"width": "8"}, "argument 'width' is a whole number from 1 to 65536, got '8'"),
        ("vector", "dense", {"width": 8.0}, "argument 'width' is a whole number from 1 to 65536, got 8.0"),
        ("vector", "dense", {"width": True}, "argument 'width' is a whole number from 1 to 65536, got True"),
        ("vector", "dense", {"dropout": 1}, "argument 'dropout' is a number from 0 to 0.95, got 1.0"),
        (
            "vector",
            "dense",
            {"dropout": float("nan")},
            "argument 'dropout' is a number from 0 to 0.95, got nan",
        ),
        ("vector", "dense", {"activation": "rule"}, "one of relu, silu, gelu, tanh, none, got 'rule'"),
        ("vector", "dense", {"residual": 1}, "argument 'residual' is true or false, got 1"),
        ("vector", "dense", {"width": 8, "residual": True}, "is for blocks that keep the shape"),
        ("vector", "head", {}, "argument 'shape' is missing: give a list"),
        ("vector", "head", {"shape": (3, "a")}, "argument 'shape' is a list"),
        ("image", "convolution", {"kernel": 4}, "kernel is odd, got 4"),
        ("image", "convolution", {"causal": True}, "causal is for series, an image has no past"),
        ("image", "resize", {"shape": (3,)}, r"is \[height, width\] or \[time\], got \[3\] for image 16×8×9"),
        (
            "image",
            "pixel_head",
            {"classes": 2, "size": (3,)},
            r"argument 'size' is \[height, width\], got \[3\]",
        ),
        ("image", "network", {}, "give either a spec or a name"),
        ("image", "network", {"name": "vgg"}, "no network 'vgg'"),
        ("series", "inverted_residual", {"squeeze": True, "causal": True}, "cannot be causal"),
        ("series", "transformer", {"head_width": 7}, "head_width is even, got 7"),
    ],
)
def test_what_is_wrong_is_said_with_the_block(kind, block, args, message):
    with pytest.raises(SpecError, match=rf"^block 'wrong' \({block}\): .*{message}") as caught:
        signals(spec_of(Block("wrong", block, args, ("x",)), kind=kind))
    assert "\n" not in str(caught.value)


def test_joins_say_what_does_not_fit():
    parts = (Block("a", "dense", {"width": 8}, ("x",)), Block("b", "dense", {"width": 9}, ("x",)))
    with pytest.raises(SpecError, match=r"block 's' \(add\): .* one kind and shape, got vector 8, vector 9"):
        signals(spec_of(*parts, Block("s", "add", {}, ("a", "b"))))
    with pytest.raises(SpecError, match=r"block 's' \(dense\): reads one signal, got 2; joins read several"):
        signals(spec_of(*parts, Block("s", "dense", {}, ("a", "b"))))
    rows = Block("rows", "rows", {}, ("x",))
    pooled = Block("pool", "pool", {}, ("rows",))
    with pytest.raises(SpecError, match="differ in width only, got series 8×144, series 4×144"):
        signals(spec_of(rows, pooled, Block("s", "concatenate", {}, ("rows", "pool")), kind="image"))


def test_lists_and_whole_numbers_of_json_are_taken():
    spec = spec_of(Block("d", "dense", {"dropout": 0}, ("x",)), Block("h", "head", {"shape": [2, 3]}, ("d",)))
    assert signals(spec)["h"].shape == (2, 3)


def test_a_block_that_changes_the_length_must_change_the_mask():
    class Halved(BLOCKS["pool"].build(Signal("series", (4, 4)), method="mean").__class__):  # type: ignore[misc]
        mask_after = None

    halved = BlockKind(lambda signal: Halved("mean", 2), ("series",))
    with pytest.raises(SpecError, match=r"makes 6 steps of 12 .* give the module a method mask_after"):
        signals(spec_of(Block("h", "halved", {}, ("x",)), kind="series"), blocks={"halved": halved})


def test_ids_that_torch_cannot_have_are_refused():
    for name in ("a.b", "items", "forward"):
        with pytest.raises(SpecError, match=f"block '{name}': this id is reserved or has a dot"):
            build(spec_of(Block(name, "dense", {}, ("x",))), 0)


def test_numbers_categories_labels_and_points_enter_as_vectors_and_sequences_of_categories_as_tokens():
    features = {
        "number": Feature("number", "number", ()),
        "many": Feature("many", "number", (3,)),
        "one": Feature("one", "category", (), classes=("a", "b")),
        "flags": Feature("flags", "labels", (4,), classes=tuple("abcd")),
        "points": Feature("points", "keypoints", (5, 2)),
        "tags": Feature("tags", "category", (7,), classes=("a", "b", "c")),
    }
    spec = Spec(
        features, (Block("j", "concatenate", {}, ("number", "many", "one", "flags", "points")),), {"y": "j"}
    )
    known = signals(spec)
    assert known["j"].shape == (1 + 3 + 2 + 4 + 10,)
    assert known["tags"] == Signal("tokens", (7,), 3)
    with pytest.raises(SpecError, match="input 'm': a mask cannot be an input"):
        signals(Spec({"m": Feature("m", "mask", (4, 4))}, (Block("d", "dense", {}, ("m",)),), {"y": "d"}))
