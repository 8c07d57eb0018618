"""One network as it is: its softmax, or the spread of its errors on the validation split."""

from pomona.fit.objectives import Tensors
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.question.uncertainty.methods.answering import Raw, answer, fitted, unknown_share
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import train
from pomona.tasks.task import Task


def deterministic(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """A usual fit. It says nothing of what it does not know: it is what other methods are compared with."""
    target = only_target(task).name
    settings.chosen({})
    trained = train(task, spec, settings.fit, run=run, name=name)

    def raw_heads(inputs: Tensors) -> Raw:
        head = trained.network(inputs)[target]
        scores = {"dempster-shafer": unknown_share(head)} if task.kind == "classify" else {}
        return Raw(head[None], scores=scores)

    return fitted([trained], spec, answer(task, trained.network, raw_heads), settings)
