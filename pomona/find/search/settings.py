"""Settings of a model search. Nothing here imports torch: the command line reads its flags from them."""

from dataclasses import dataclass
from typing import Literal, get_args

from pomona.foundation.errors import SettingError, unknown_name

Combination = Literal["greedy", "learned", "average", "auto"]
Student = Literal["none", "winner", "small"]
Objective = Literal["score", "parameters", "flops", "latency"]
Pruner = Literal["none", "median", "halving", "hyperband"]


@dataclass(frozen=True)
class SearchSettings:
    """How long to search, in what, and what the winner has to keep to."""

    trials: int = 20
    """Models to train before the best of them are trained again."""

    seconds: float | None = None
    """Time for everything; about a third of it is kept for the finalists. No limit when not given."""

    max_params: int | None = None
    """Models of more parameters are refused before they are trained."""

    max_latency_ms: float | None = None
    """Models that need longer for one example, exported and on this machine, are refused before they are
    trained."""

    steps: int | None = None
    """Training steps of a model that starts from nothing; told from the size of the data when not given."""

    inherited_share: float = 0.5
    """Steps of a model that starts from its parent's weights, as a share of `steps`."""

    inherit: bool = True
    """Start a model from the weights of the one it was made from."""

    teach: bool = True
    """Let models learn from what the best ones before them say, where that is part of their training
    technique."""

    strategy: str | None = None
    """How the next model is chosen: `beam`, `evolve`, `random`, `pareto` and others; when not given `beam`,
    or `pareto` when there are several objectives."""

    objectives: tuple[Objective, ...] = ("score",)
    """What models are to be good at: `score`, and as small as can be in `parameters`, `flops` or `latency`.
    With several, the report tells the models that no other beats in all. Can be given several times."""

    reevaluations: float = 0.15
    """Share of the trials that train leading models again with fresh seeds, so that luck is seen."""

    deduplicate: bool = True
    """Never train the same model twice as if it were a new one."""

    surrogate: bool = True
    """Let a cheap model of the scores so far choose among several changes."""

    pruner: Pruner = "none"
    """Which trainings end early: `none`, those worse than the `median`, or by successive `halving` or
    `hyperband`."""

    starts: int = 3
    """Models at the beginning that are made from nothing: the usual one for such a task, that one at twice
    its width, then random ones."""

    beam_width: int = 5
    """Best models of which one is changed to make the next, once the beam is at its widest."""

    widen_every: int = 15
    """Completed trials after which the beam, at first the best model alone, takes in one more."""

    growth: float = 5.0
    """Most computation for one example, as a multiple of that of the usual model."""

    blocks_allowed: tuple[str, ...] = ()
    """Kinds of blocks that models may be made of; all when not given. Can be given several times."""

    networks: tuple[str, ...] = ()
    """Whole networks, by name or JSON file: given, they stay as they are and the search trains them in
    different ways and joins the best. Can be given several times."""

    finalists: int = 3
    """Best models that are trained again with fresh seeds; what is expected of them over seeds decides."""

    finalist_seeds: int = 3
    """How often the winner is trained; the other finalists only while they could still win."""

    finalist_steps: float = 1.25
    """Training steps of a finalist, as a multiple of `steps`, whatever it inherits."""

    ensemble_size: int = 8
    """Most picks for the ensemble; a model may be picked more than once."""

    combination: Combination = "greedy"
    """How the ensemble is made: models picked one by one, weights that are learned, the plain mean of the
    best models, or whichever of these does best on held-out parts of the validation examples."""

    student: Student = "none"
    """Teach one network what the ensemble says: the winner's own, or the smallest one among the best."""

    def __post_init__(self) -> None:
        for name, choices in {"combination": Combination, "student": Student}.items():
            if getattr(self, name) not in get_args(choices):
                raise unknown_name(name, getattr(self, name), get_args(choices))
        wanted = {
            "trials": 1, "starts": 1, "beam_width": 1, "widen_every": 1,
            "finalists": 1, "finalist_seeds": 1, "ensemble_size": 1,
            "steps": 1, "max_params": 1,
        }  # fmt: skip
        for name, least in wanted.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise SettingError(f"{name} must be at least {least}, got {value}")
        for name in ("seconds", "max_latency_ms", "growth", "finalist_steps"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise SettingError(f"{name} must be positive, got {value}")
        if not 0 <= self.reevaluations < 1:
            raise SettingError(f"reevaluations must be at least 0 and below 1, got {self.reevaluations}")
        if self.pruner not in get_args(Pruner):
            raise unknown_name("pruner", self.pruner, get_args(Pruner))
        if not 0 < self.inherited_share <= 1:
            raise SettingError(f"inherited_share must be above 0 and at most 1, got {self.inherited_share}")
        self._check_objectives()

    @property
    def method(self) -> str:
        """The name of the strategy."""
        return self.strategy or ("beam" if len(self.objectives) == 1 else "pareto")

    def _check_objectives(self) -> None:
        for name in self.objectives:
            if name not in get_args(Objective):
                raise unknown_name("objective", name, get_args(Objective))
        if "score" not in self.objectives or len(set(self.objectives)) < len(self.objectives):
            raise SettingError(f"objectives are score and others, each once, got {list(self.objectives)}")
