"""How large the policy's network is and how it learns: plain data, without torch."""

from dataclasses import dataclass

from pomona.compile.placement.settings import DECISIONS
from pomona.foundation.errors import SettingError


@dataclass(frozen=True)
class NetworkSettings:
    """The size of a GraphOptimizer. The shipped weights fit the defaults only."""

    width: int = 64
    """Numbers a node is embedded in."""
    sage_layers: int = 2
    """Rounds in which a node hears from its neighbours."""
    trunk_layers: int = 2
    """Recurrent attention layers before the first task; every task adds one turn of a further, shared one."""
    heads: int = 4
    segment: int = 128
    """Units that attend to one another and to the segment before theirs."""
    num_levels: int = 9
    """Priority levels of scheduling and fusion; odd, the middle one keeps the default order."""


@dataclass(frozen=True)
class PolicySettings:
    """How a policy decides and learns (PPO)."""

    tasks: tuple[str, ...] = DECISIONS
    """What is decided, in this order; what is left out keeps its default (program order, nothing fused)."""
    max_units: int = 64
    """Groups are merged with their closest neighbours until there are at most this many; 0: never."""
    rollouts: int = 32
    """Plans drawn and simulated before each change of the weights."""
    epochs: int = 3
    """Passes over the rollouts of one step."""
    clip: float = 0.2
    learning_rate: float = 2e-3
    entropy_weight: float = 3e-3
    """Falls to a tenth of this at the end of the steps."""
    elite_weight: float = 0.1
    """Pull towards the best plan found so far: its cross entropy is added with this weight. 0: plain PPO."""
    steps: int = 300
    network: NetworkSettings = NetworkSettings()

    def __post_init__(self) -> None:
        wrong = [task for task in self.tasks if task not in DECISIONS]
        in_order = sorted(self.tasks, key=DECISIONS.index) if not wrong else []
        if wrong or not self.tasks or list(self.tasks) != in_order or len(set(self.tasks)) != len(self.tasks):
            got = ", ".join(self.tasks) or "none"
            raise SettingError(f"tasks must be some of {', '.join(DECISIONS)}, in this order, got {got}")
        for name in ("rollouts", "epochs", "steps"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.max_units < 0:
            raise SettingError(f"max_units must be 0 (never merge) or more, got {self.max_units}")


@dataclass(frozen=True)
class TrainSettings:
    """How a policy is pre-trained on many problems."""

    policy: PolicySettings = PolicySettings()
    teacher_seconds: float = 5.0
    """Search a problem, for plans to imitate."""
    imitation_rounds: int = 40
    """Passes over all problems."""
    imitation_rate: float = 3e-3
    ppo_steps: int = 1200
