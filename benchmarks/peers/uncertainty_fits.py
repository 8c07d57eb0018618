"""Runs in the environment of peers/uncertainty_methods.txt: fits other people's methods on one task.

    python benchmarks/peers/uncertainty_fits.py FOLDER

FOLDER holds question.json and arrays.npz (see benchmarks/question_uncertainty_peers.py). Every method is
fitted at each of its points with the tuning seed, then at the best of them with each seed; what it says of
validation and test examples goes to FOLDER/said/METHOD-POINT-SEED.npz. What is there is not fitted again.

The networks are Pomona's own, with its first weights but for layers that a package puts in the place of
others, and so is the recipe of training: AdamW, warm-up and
cosine, gradients cut to length 1, the best of 30 looks at the validation examples kept. The methods are the
packages' own.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

from uncertainty_methods import METHODS  # noqa: E402
from uncertainty_training import Question, nll  # noqa: E402


@dataclass(frozen=True)
class Asked:
    """A folder with its question."""

    folder: Path
    question: Question

    def said(self, method: str, point: int, seed: int) -> dict[str, np.ndarray]:
        """What a method says of the parts: from the folder, or fitted now."""
        path = self.folder / "said" / f"{method}-{point}-{seed}.npz"
        if not path.exists():
            began = time.perf_counter()
            found = self._fitted(method, self.question.points[method][point], seed)
            path.parent.mkdir(exist_ok=True)
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                np.savez(file, seconds=time.perf_counter() - began, **found)
            part.rename(path)
        with np.load(path) as kept:
            return dict(kept)

    def _fitted(self, method: str, point: dict[str, Any], seed: int) -> dict[str, np.ndarray]:
        # the packages draw from the global generator
        torch.manual_seed(seed)
        say = METHODS[method](self.question, point, seed)
        parts = ("valid",) if seed == self.question.tuning_seed else ("valid", "test")
        found: dict[str, np.ndarray] = {}
        for part in parts:
            said = say(self.question.inputs[part])
            names = ("mean", "deviation") if isinstance(said, tuple) else ("probabilities",)
            for name, value in zip(names, said if isinstance(said, tuple) else (said,), strict=True):
                found[f"{part}/{name}"] = value.detach().double().numpy()
        return found

    def nll(self, said: dict[str, np.ndarray]) -> float:
        """Of the validation examples; values as the network has them, scaled."""
        names = ("probabilities",) if self.question.is_classes else ("mean", "deviation")
        answers = [torch.from_numpy(said[f"valid/{name}"]) for name in names]
        given = answers[0] if self.question.is_classes else tuple(answers)
        return nll(self.question, given, self.question.targets["valid"])


def main() -> None:
    """Everything that is missing, then chosen.json: the point of each method."""
    torch.set_num_threads(1)
    asked = Asked(Path(sys.argv[1]), question_in(Path(sys.argv[1])))
    chosen: dict[str, Any] = {}
    for method, points in asked.question.points.items():
        began = time.perf_counter()
        try:
            losses = [
                asked.nll(asked.said(method, point, asked.question.tuning_seed))
                for point in range(len(points))
            ]
            best = int(np.nanargmin(losses))
            for seed in asked.question.seeds:
                asked.said(method, best, seed)
        except Exception as error:
            chosen[method] = {"failed": f"{type(error).__name__}: {str(error).splitlines()[0]}"}
        else:
            chosen[method] = {"point": best, "valid": losses[best]}
        print(f"{method}: {chosen[method]} ({time.perf_counter() - began:.0f} s)", flush=True)
    (asked.folder / "chosen.json").write_text(json.dumps(chosen))


def question_in(folder: Path) -> Question:
    """What the folder asks."""
    plain = json.loads((folder / "question.json").read_text())
    inputs: dict[str, dict[str, Tensor]] = {}
    targets: dict[str, Tensor] = {}
    with np.load(folder / "arrays.npz") as arrays:
        for key in arrays.files:
            part, _, name = key.partition("/")
            tensor = torch.from_numpy(arrays[key])
            if name == "target":
                targets[part] = tensor.long() if plain["kind"] == "classify" else tensor.float()
            else:
                inputs.setdefault(part, {})[name] = tensor
    return Question(arrays=inputs, targets=targets, **plain)


if __name__ == "__main__":
    main()
