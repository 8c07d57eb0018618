"""A change of a network: the new network, and what was done in words."""

from dataclasses import dataclass

from pomona.networks.spec import Spec


@dataclass(frozen=True)
class Change:
    """`sentence` is for people: "inserted residual 64 after conv2"."""

    spec: Spec
    sentence: str
