"""One network as it is: its softmax, or the spread of its errors on the validation split."""

from torch import Tensor

from pomona.fit.objectives import Tensors
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.question.uncertainty.methods.answering import answer, fitted
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import train
from pomona.tasks.task import Task


def deterministic(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """A usual fit. It says nothing of what it does not know: it is what other methods are compared with."""
    target = only_target(task).name
    settings.chosen({})
    trained = train(task, spec, settings.fit, run=run, name=name)

    def raw_heads(inputs: Tensors) -> Tensor:
        return trained.network(inputs)[target][None]

    return fitted([trained], spec, answer(task, trained.network, raw_heads), settings)
