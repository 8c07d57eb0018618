"""Runs in the environment of peers/neps.txt: prints what NePS wants tried, one JSON object a line, and reads
its score, the higher the better, from the next line of standard input."""

import json
import os
import random
import sys
from typing import Any

import neps
import numpy as np
import torch


def main() -> None:
    """NePS with its own choice of method, on the space and budget that the command line names."""
    question = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    # NePS and what it uses print to standard output too
    os.dup2(2, 1)
    # it draws from the global generators
    random.seed(question["seed"])
    np.random.seed(question["seed"])  # noqa: NPY002
    torch.manual_seed(question["seed"])

    def evaluate_pipeline(**point: Any) -> float:
        answers.write(json.dumps({name: plain(value) for name, value in point.items()}) + "\n")
        return -float(sys.stdin.readline())

    parts = {name: parameter(entry) for name, entry in question["space"].items()}
    neps.run(
        evaluate_pipeline=evaluate_pipeline,
        pipeline_space=type("Space", (neps.PipelineSpace,), parts)(),
        root_directory=os.path.join(question["folder"], "neps"),
        total_evaluations_to_spend=question["trials"],
    )


def parameter(entry: dict[str, Any]) -> Any:
    """NePS's word for an entry of the space."""
    if "options" in entry:
        return neps.Categorical(choices=tuple(entry["options"]))
    return neps.Float(entry["low"], entry["high"], log=entry["log"])


def plain(value: Any) -> Any:
    """Without NumPy's types."""
    return value.item() if hasattr(value, "item") else value


if __name__ == "__main__":
    main()
