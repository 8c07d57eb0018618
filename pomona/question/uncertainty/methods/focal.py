"""Focal loss (Lin et al. 2017): examples that are got right with ease count less; it tempers confidence.

Mukhoti et al. 2020 show that it calibrates, and take an exponent of 3.
"""

from torch import Tensor
from torch.nn import functional

from pomona.fit.extension import Extension, TaskLoss
from pomona.fit.objectives import TargetLoss, Tensors, weighted_mean
from pomona.fit.trials.space import Float, Space
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.question.uncertainty.methods.answering import answer, fitted
from pomona.question.uncertainty.methods.deep_ensemble import heads_in_turn
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import train
from pomona.tasks.task import Task

DEFAULTS = {"exponent": 3.0}
SPACE = Space({"exponent": Float(0.5, 5.0)})


def focal(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """One network fitted to (1 - p) ** exponent times the cost of the truth, p being its probability."""
    target, own = only_target(task, ("classify",)).name, settings.chosen(DEFAULTS)
    weights_of = TargetLoss(target, "classify", "cross-entropy").weights

    def objective(heads: Tensors, batch: Tensors, loss: TaskLoss, share: float) -> Tensor:
        costs = focal_costs(heads[target], batch[target], own["exponent"])
        return weighted_mean(costs, weights_of(batch))

    extension = Extension(objective=objective, key=f"focal {own}")
    trained = train(task, spec, settings.fit, run=run, name=name, extension=extension)
    say = answer(task, trained.network, heads_in_turn([trained.network], target))
    return fitted([trained], spec, say, settings)


def focal_costs(logits: Tensor, truth: Tensor, exponent: float) -> Tensor:
    """The focal loss of each example; exponent 0 is cross-entropy."""
    nats = functional.cross_entropy(logits, truth, reduction="none")
    # at p = 1 the slope of a power below 1 would have no end
    wrong = (-(-nats).expm1()).clamp_min(1e-6)
    return wrong**exponent * nats
