"""A whole network as one block."""

from collections.abc import Mapping
from dataclasses import replace

from torch import nn

from pomona.foundation.errors import SpecError, unknown_name
from pomona.networks.block_kind import BlockKind
from pomona.networks.bodies import BODIES
from pomona.networks.nested import Nested
from pomona.networks.signal import Signal, feature_of, signal_of
from pomona.networks.spec import Spec


def network(
    signal: Signal,
    *,
    spec: Spec | dict | None = None,
    name: str | None = None,
    blocks: Mapping[str, BlockKind],
) -> nn.Module:
    """A fixed network: a `spec` with one input and one output, or the body that a `name` has for this signal.

    The input takes the shape of what the block reads.
    """
    if (spec is None) == (name is None):
        raise SpecError("give either a spec or a name")
    inner = named(name, signal) if name is not None else _given(spec, signal)
    return Nested(inner, blocks)


def named(name: str, signal: Signal) -> Spec:
    """The body of this name as a network of its own. Raises SettingError for an unknown name."""
    if name not in BODIES:
        raise unknown_name("network", name, BODIES)
    body = BODIES[name](signal, "input")
    return Spec({"input": feature_of("input", signal)}, tuple(body), {"output": body[-1].id})


def _given(spec: Spec | dict | None, signal: Signal) -> Spec:
    inner = Spec.from_json(spec) if isinstance(spec, dict) else spec
    assert inner is not None
    if len(inner.inputs) != 1 or len(inner.outputs) != 1:
        raise SpecError("a network as a block has one input and one output")
    ((name, feature),) = inner.inputs.items()
    if signal_of(feature).kind != signal.kind:
        raise SpecError(f"the inner network reads {signal_of(feature)}, got {signal}")
    return replace(inner, inputs={name: feature_of(name, signal)})
