"""Every named network for every kind of task and input: it builds, has the right output and stays small."""

from types import SimpleNamespace

import pytest
import torch
from network_samples import inputs_of, shaken

from pomona.foundation.errors import SpecError
from pomona.networks.build import build
from pomona.networks.catalogue import NETWORKS
from pomona.networks.causal import looking_ahead
from pomona.networks.cost import parameters
from pomona.networks.default import default_spec
from pomona.networks.shapes import signals
from pomona.tasks.feature import Feature

CLASSES = tuple("abcd")

INPUTS = {
    "image": Feature("x", "image", (3, 16, 16)),
    "audio": Feature("x", "audio", (4000,), rate=8000, variable=True),
    "series": Feature("x", "series", (24, 5), variable=True),
    "vector": Feature("x", "vector", (7,)),
    "tokens": Feature("x", "tokens", (24,), num_tokens=50, variable=True),
    "category": Feature("x", "category", (), classes=CLASSES),
    "number": Feature("x", "number", ()),
}

TARGETS = {
    "classify": (Feature("y", "category", (), classes=CLASSES), (4,)),
    "multilabel": (Feature("y", "labels", (4,), classes=CLASSES), (4,)),
    "regress": (Feature("y", "number", ()), ()),
    "segment": (Feature("y", "mask", (16, 16), classes=CLASSES), (4, 16, 16)),
    "sequence": (Feature("y", "category", (24,), classes=CLASSES), (24, 4)),
    "language": (Feature("y", "tokens", (24,), num_tokens=50), (24, 50)),
    "forecast": (Feature("y", "series", (6, 2)), (6, 2)),
}


def task_of(kind, inputs, targets=None):
    return SimpleNamespace(kind=kind, inputs=inputs, targets=targets or {"y": TARGETS[kind][0]})


@pytest.mark.parametrize("name", list(NETWORKS))
def test_every_network_gives_what_every_kind_of_task_wants(name):
    refused = []
    for kind, (_, shape) in TARGETS.items():
        for feature in INPUTS.values():
            task = task_of(kind, {"x": feature})
            try:
                spec = NETWORKS[name](task)
            except SpecError:
                refused.append((kind, feature.kind))
                continue
            assert signals(spec)[spec.outputs["y"]].shape == shape, (kind, feature.kind)
    if name not in ("cell", "dense", "recurrent", "transformer", "bigbird", "etc"):
        assert refused == []


def test_default_networks_run_on_every_kind_and_are_small():
    for kind, (_, shape) in TARGETS.items():
        for feature in INPUTS.values():
            spec = default_spec(task_of(kind, {"x": feature}))
            y = build(spec, 0).double()(inputs_of(spec))["y"]
            assert y.shape == (3, *shape)
            assert parameters(spec) < 600_000


def test_several_inputs_and_targets_of_any_kind_are_joined():
    everything = {name: Feature(**{**vars(feature), "name": name}) for name, feature in INPUTS.items()}
    for kind, (target, shape) in TARGETS.items():
        for inputs in (everything, dict(reversed(everything.items()))):
            spec = default_spec(task_of(kind, inputs, {"one": target, "two": target}))
            outputs = build(spec, 0)(inputs_of(spec, dtype=torch.float32))
            assert {name: y.shape for name, y in outputs.items()} == {"one": (3, *shape), "two": (3, *shape)}


def test_inputs_may_be_called_like_blocks():
    names = ("stem", "head", "in1_stem", "join", "net_stem", "vector")
    inputs = {name: Feature(name, "image", (1, 8, 8)) for name in names}
    spec = default_spec(task_of("classify", inputs))
    assert signals(spec)[spec.outputs["y"]].shape == (4,)


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in ("cell", "etc")])
def test_networks_for_language_see_no_later_token(name):
    spec = NETWORKS[name](task_of("language", {"x": INPUTS["tokens"]}))
    assert looking_ahead(spec) == ()
    network = shaken(build(spec, 0).double()).eval()
    x = inputs_of(spec)["x"]
    y = network({"x": x})["y"]
    for change in (1, 5, 12, 23):
        later = x.clone()
        later[:, change:] = (later[:, change:] + 7) % 50
        changed = network({"x": later})["y"]
        torch.testing.assert_close(changed[:, :change], y[:, :change], rtol=1e-9, atol=1e-9)
        assert not torch.allclose(changed[:, change:], y[:, change:])


def test_etc_refuses_to_tell_the_next_token():
    with pytest.raises(SpecError, match="bigbird"):
        NETWORKS["etc"](task_of("language", {"x": INPUTS["tokens"]}))


def test_blocks_that_look_ahead_are_found():
    spec = NETWORKS["recurrent"](task_of("sequence", {"x": INPUTS["tokens"]}))
    assert looking_ahead(spec) == ("gru1", "gru2")
