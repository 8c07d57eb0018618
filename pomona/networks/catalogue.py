"""Named networks: a body for every input, joined where there are several, and a head for every target."""

from collections.abc import Callable
from functools import partial

from pomona.networks.bit_resnet import bit_body, sized_bit_body
from pomona.networks.bodies import BODIES
from pomona.networks.compose import compose
from pomona.networks.leaf import listening
from pomona.networks.mobile import efficientnet_body, mobilenet_body
from pomona.networks.spec import Spec
from pomona.networks.vit import sized_vit_body, vit_body
from pomona.networks.vit_hybrid import hybrid_body
from pomona.nn.front_ends import FRONT_ENDS
from pomona.tasks.task import Task

NETWORKS: dict[str, Callable[[Task], Spec]] = {
    name: partial(compose, body)
    for name, body in {**BODIES, "vit": vit_body, "vit-hybrid": hybrid_body, "bit": bit_body}.items()
} | {kind: partial(listening, kind) for kind in FRONT_ENDS}
"""Name → the network that it means for a task."""

FAMILIES: dict[str, Callable[[str], Callable[[Task], Spec]]] = {
    "vit": lambda size: partial(compose, sized_vit_body(size)),
    "bit": lambda size: partial(compose, sized_bit_body(size)),
    "mobilenet": lambda size: partial(compose, mobilenet_body(size)),
    "efficientnet": lambda size: partial(compose, efficientnet_body(size)),
}
"""What stands before a dash → the networks of a family by what stands after it, as in vit-b/16."""
