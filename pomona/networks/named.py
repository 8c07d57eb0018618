"""Networks and blocks as a user names them: by a name, or by a file."""

from collections.abc import Mapping
from pathlib import Path

from pomona.foundation.errors import SettingError, unknown_name
from pomona.foundation.files import read_json
from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.catalogue import FAMILIES, NETWORKS
from pomona.networks.spec import Spec
from pomona.tasks.task import Task


def known_blocks(path: Path | None) -> Mapping[str, BlockKind]:
    """The blocks there are, with those of a user's file."""
    if path is None:
        return BLOCKS
    from pomona.networks.blocks.user import load_blocks

    return {**BLOCKS, **load_blocks(path)}


def named_spec(network: str, task: Task) -> Spec:
    """The network that a name or a JSON file means for a task. Raises SettingError, SpecError."""
    if network in NETWORKS:
        return NETWORKS[network](task)
    path = Path(network)
    family, dash, size = network.partition("-")
    if dash and family in FAMILIES and not path.exists():
        return FAMILIES[family](size)(task)
    if path.suffix != ".json" and not path.exists():
        raise unknown_name("network", network, NETWORKS)
    try:
        plain = read_json(path)
    except (OSError, ValueError) as error:
        raise SettingError(f"{network} is no JSON file that describes a network: {error}") from None
    return Spec.from_json(plain)
