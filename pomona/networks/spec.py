"""A network as data: an acyclic graph of blocks with named inputs and heads."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pomona.foundation.errors import SpecError
from pomona.tasks.feature import Feature


@dataclass(frozen=True)
class Block:
    """One node: `block` names a function of the table BLOCKS, `args` are its keyword arguments, `sources` are
    the ids of blocks or the names of inputs that it reads ("from" in JSON).

    The id is the block's identity through a search: weights are inherited by it.
    """

    id: str
    block: str
    args: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    def with_args(self, **args: Any) -> "Block":
        """The same block with some arguments changed."""
        return replace(self, args={**self.args, **args})


@dataclass(frozen=True)
class Spec:
    """A network: what goes in, the blocks in an order in which each reads only earlier ones, and the heads.

    `outputs` maps the name of a head to the id of the block whose output it is.
    """

    inputs: Mapping[str, Feature]
    blocks: tuple[Block, ...]
    outputs: Mapping[str, str]

    def __post_init__(self) -> None:
        check_graph(self)

    def block(self, block_id: str) -> Block:
        """The block with this id. Raises SpecError when there is none."""
        for block in self.blocks:
            if block.id == block_id:
                return block
        raise SpecError(f"no block {block_id!r}; the network has {', '.join(b.id for b in self.blocks)}")

    def to_json(self) -> dict[str, Any]:
        """The network as plain data."""
        return {
            "inputs": {name: feature.to_json() for name, feature in self.inputs.items()},
            "blocks": [
                {"id": b.id, "block": b.block, "args": _plain_args(b.args), "from": list(b.sources)}
                for b in self.blocks
            ],
            "outputs": dict(self.outputs),
        }

    @staticmethod
    def from_json(plain: Any) -> "Spec":
        """The network that `to_json` wrote, its blocks in any order. Raises SpecError, naming the block."""
        if not isinstance(plain, dict) or set(plain) != {"inputs", "blocks", "outputs"}:
            raise SpecError("a network is an object with inputs, blocks and outputs")
        if not (isinstance(plain["inputs"], dict) and isinstance(plain["blocks"], list)):
            raise SpecError("the inputs of a network are an object and its blocks a list")
        outputs = plain["outputs"]
        if not isinstance(outputs, dict) or not all(isinstance(value, str) for value in outputs.values()):
            raise SpecError(f"the outputs of a network are an object: head to id of a block; got {outputs}")
        inputs = {name: _read_input(name, feature) for name, feature in plain["inputs"].items()}
        blocks = [_read_block(entry) for entry in plain["blocks"]]
        return Spec(inputs, in_reading_order(blocks, inputs), dict(outputs))


def check_graph(spec: Spec) -> None:
    """Raises SpecError unless ids are unique, every source is earlier, and every head exists."""
    if not spec.inputs or not spec.outputs:
        raise SpecError("a network needs at least one input and one output")
    known = set(spec.inputs)
    for block in spec.blocks:
        if block.id in known:
            raise SpecError(f"block {block.id!r}: the id is used twice")
        if not block.sources:
            raise SpecError(f'block {block.id!r} ({block.block}) reads nothing: give it "from"')
        for source in block.sources:
            if source not in known:
                raise SpecError(
                    f"block {block.id!r} ({block.block}) reads {source!r}: no input and no earlier block"
                )
        known.add(block.id)
    for head, block_id in spec.outputs.items():
        if block_id not in known:
            raise SpecError(f"output {head!r} is block {block_id!r}, which does not exist")


def in_reading_order(blocks: list[Block], inputs: Mapping[str, Any]) -> tuple[Block, ...]:
    """The blocks so that each reads only earlier ones. Raises SpecError for a cycle."""
    ordered: list[Block] = []
    known, waiting = set(inputs), list(blocks)
    names = known | {block.id for block in blocks}
    while waiting:
        ready = [block for block in waiting if all(s in known or s not in names for s in block.sources)]
        if not ready:
            raise SpecError(f"blocks {', '.join(block.id for block in waiting)} read each other in a circle")
        ordered.append(ready[0])
        known.add(ready[0].id)
        waiting.remove(ready[0])
    return tuple(ordered)


def _read_input(name: str, plain: Any) -> Feature:
    try:
        return Feature.from_json({"name": name, **plain})
    except (TypeError, ValueError) as error:
        raise SpecError(f"input {name!r}: {error}") from error


def _read_block(plain: Any) -> Block:
    wanted = {"id": str, "block": str, "args": dict, "from": list}
    if not isinstance(plain, dict) or not {"id", "block"} <= set(plain) <= set(wanted):
        raise SpecError(f"a block has id, block, args and from; got {plain}")
    for name, kind in wanted.items():
        if name in plain and not isinstance(plain[name], kind):
            raise SpecError(f"block {plain['id']!r}: its {name!r} is {plain[name]!r}, not a {kind.__name__}")
    sources = tuple(plain.get("from", ()))
    if not all(isinstance(source, str) for source in sources):
        raise SpecError(f"block {plain['id']!r} reads ids of blocks or names of inputs, got {list(sources)}")
    args = {name: _tuples(value) for name, value in plain.get("args", {}).items()}
    return Block(plain["id"], plain["block"], args, sources)


def _plain_args(args: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value.to_json()
        if isinstance(value, Spec)
        else list(value)
        if isinstance(value, tuple)
        else value
        for key, value in sorted(args.items())
    }


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
