"""Published splits without validation examples: some of the training examples become that."""

from pomona.tasks.batch import Batch, take
from pomona.tasks.splits import content_keys, split_by_hash

VALID_SHARE = 1 / 6


def with_valid(train: Batch, test: Batch, *columns: str, seed: int) -> dict[str, Batch]:
    """The splits, with VALID_SHARE of `train` as `valid`, by a hash of some columns."""
    keys = content_keys({column: train[column] for column in columns})
    ids = split_by_hash(keys, seed=seed, ratios={"train": 1 - VALID_SHARE, "valid": VALID_SHARE})
    return {"train": take(train, ids["train"]), "valid": take(train, ids["valid"]), "test": test}
