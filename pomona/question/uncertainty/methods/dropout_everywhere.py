"""The improved dropout: whole features after every layer, on examples that are shown several times a step."""

from collections.abc import Mapping

from torch import Tensor, nn

from pomona.fit.draws import Draws
from pomona.fit.extension import Extension
from pomona.fit.trials.space import Float, Int, Space
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.nn.feature_dropout import drop_features
from pomona.question.uncertainty.methods.answering import answer, fitted
from pomona.question.uncertainty.methods.head_of import head_of
from pomona.question.uncertainty.methods.member_network import members_key, members_loss, pooled
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.monte_carlo_dropout import sampled_heads
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import train
from pomona.tasks.task import Task

DEFAULTS = {"rate": 0.05, "repetitions": 2, "samples": 30}
SPACE = Space({"rate": Float(0.01, 0.3, log=True), "repetitions": Int(1, 4)})


def dropout_everywhere(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """The mean of `samples` answers of one network that drops features of every layer at `rate`.

    A step shows every example `repetitions` times, each under another dropout (Hoffer et al. 2020).
    """
    target, own = only_target(task).name, settings.chosen(DEFAULTS)

    def transform(network: nn.Module, seed: int) -> nn.Module:
        _, head = head_of(network, target)
        drop_features(network, own["rate"], spared=head)
        return RepeatedExamples(network, target, task.kind, own["repetitions"])

    extension = Extension(transform, members_loss(target), key=f"mc-dropout-improved {own}")
    trained = train(task, spec, settings.fit, run=run, name=name, extension=extension)
    raw_heads = sampled_heads(trained.network, target, own["samples"], Draws(run.seed, name))
    say = answer(task, trained.network, raw_heads)
    return fitted([trained], spec, say, settings, passes=own["samples"])


class RepeatedExamples(nn.Module):
    """In training shows its network every example `times` times, each as the example of another member."""

    def __init__(self, network: nn.Module, target: str, kind: str, times: int):
        super().__init__()
        self.network = network
        self.target = target
        self.kind = kind
        self.times = times

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        if not self.training:
            return self.network(inputs)
        repeated = {
            name: tensor.repeat(self.times, *[1] * (tensor.ndim - 1)) for name, tensor in inputs.items()
        }
        head = self.network(repeated)[self.target]
        raw = head.unflatten(0, (self.times, -1))
        return {self.target: pooled(raw, self.kind), members_key(self.target): raw}
