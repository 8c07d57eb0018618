"""Named networks: a body for every input, joined where there are several, and a head for every target."""

from collections.abc import Callable
from functools import partial

from pomona.networks.bodies import BODIES
from pomona.networks.compose import compose
from pomona.networks.spec import Spec
from pomona.tasks.task import Task

NETWORKS: dict[str, Callable[[Task], Spec]] = {name: partial(compose, body) for name, body in BODIES.items()}
"""Name → the network that it means for a task."""
