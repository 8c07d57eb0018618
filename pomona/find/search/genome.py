"""A genome: all that makes a model before it is trained, its network and its training technique, as data."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pomona.find.search.techniques import effective
from pomona.fit.trials.space import Point
from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.hashing import spec_hash
from pomona.networks.spec import Spec


@dataclass(frozen=True)
class Genome:
    """A network and a training technique: a point of `technique_space`."""

    spec: Spec
    training: Point

    def to_json(self) -> dict[str, Any]:
        """The genome as plain data."""
        return {"spec": self.spec.to_json(), "training": dict(sorted(self.training.items()))}

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> "Genome":
        """The genome that `to_json` wrote."""
        return Genome(Spec.from_json(plain["spec"]), dict(plain["training"]))


def genome_hash(genome: Genome, *, blocks: Mapping[str, BlockKind] = BLOCKS) -> str:
    """Equal for genomes that train the same network in the same way, whatever its blocks are called."""
    technique = json.dumps(dict(sorted(effective(genome.training).items())))
    content = f"{spec_hash(genome.spec, blocks=blocks)} {technique}"
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
