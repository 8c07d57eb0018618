"""Mobile networks have the sizes of the published ones and suit images of any size."""

import pytest
import torch

from pomona.foundation.errors import SettingError
from pomona.networks.build import build
from pomona.networks.catalogue import FAMILIES
from pomona.networks.cost import parameters
from pomona.networks.mobile import efficientnet_body, mobilenet_body
from pomona.networks.named import named_spec
from pomona.networks.signal import signal_of
from pomona.networks.spec import Block, Spec
from pomona.tasks import load_task
from pomona.tasks.feature import Feature

PUBLISHED = {
    # the papers say 4.2 and 3.4 million, Google's page of EfficientNet-Lite 4.7
    ("mobilenet", "v1"): 4_231_976,
    ("mobilenet", "v2"): 3_504_872,
    ("efficientnet", "lite0"): 4_652_008,
}

BODIES = {"mobilenet": mobilenet_body, "efficientnet": efficientnet_body}


def network(family, name, side, classes=1000):
    image = Feature("image", "image", (3, side, side))
    body = BODIES[family](name)(signal_of(image), "image")
    head = Block("head", "head", {"shape": (classes,)}, (body[-1].id,))
    return Spec({"image": image}, (*body, head), {"label": "head"})


@pytest.mark.parametrize(("family", "name"), PUBLISHED)
def test_there_are_as_many_parameters_as_published(family, name):
    assert parameters(network(family, name, 224)) == PUBLISHED[family, name]


@pytest.mark.parametrize(("side", "halvings"), [(224, 5), (128, 5), (64, 4), (32, 3), (28, 3), (8, 1)])
def test_small_images_are_halved_less_often(side, halvings):
    strides = [block.args.get("stride", 1) for block in network("mobilenet", "v2", side).blocks]
    assert strides.count(2) == halvings


def test_networks_answer_for_small_images():
    for family, name in (("mobilenet", "v1x0.25"), ("mobilenet", "v2x0.35"), ("efficientnet", "lite0x0.35")):
        model = build(network(family, name, 32, classes=5), 0).eval()
        with torch.no_grad():
            assert model({"image": torch.zeros(2, 3, 32, 32)})["label"].shape == (2, 5)


def test_networks_are_known_by_name():
    task = load_task("digits")
    for name in ("mobilenet-v1", "mobilenet-v2x0.5", "efficientnet-lite0"):
        spec = named_spec(name, task)
        assert {block.block for block in spec.blocks} & {"mobile_convolution", "linear_bottleneck"}


@pytest.mark.parametrize(
    ("family", "name"), [("mobilenet", "v3"), ("mobilenet", "v1x0"), ("efficientnet", "b0")]
)
def test_other_names_are_refused(family, name):
    with pytest.raises(SettingError, match=f"got {family}-{name}"):
        FAMILIES[family](name)
