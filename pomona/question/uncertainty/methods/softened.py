"""Two ways to train on softer truths: label smoothing (Szegedy et al. 2016) and mixup (Zhang et al. 2018).

Both make a network less sure; Thulasidasan et al. 2019 look at mixup's calibration, Müller et al. 2019 at
label smoothing's.
"""

from dataclasses import replace

from pomona.fit.trials.space import Float, Space
from pomona.foundation.errors import SettingError
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.question.uncertainty.methods.deterministic import deterministic
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.tasks.task import Task

SMOOTHING_DEFAULTS = {"share": 0.05}
SMOOTHING_SPACE = Space({"share": Float(0.005, 0.3, log=True)})

MIXUP_DEFAULTS = {"alpha": 0.2}
MIXUP_SPACE = Space({"alpha": Float(0.05, 1.0, log=True)})
MIXED = ("image", "audio", "series", "vector")


def label_smoothing(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """The usual network; a share of the truth is spread over all classes."""
    only_target(task, ("classify",))
    fit = replace(settings.fit, label_smoothing=settings.chosen(SMOOTHING_DEFAULTS)["share"])
    base = deterministic(task, spec, MethodSettings(fit), run=run, name=name)
    return replace(base, settings=settings)


def mixup(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """The usual network, trained on mixtures of two examples. Raises SettingError where none can be mixed."""
    only_target(task, ("classify",))
    alpha = settings.chosen(MIXUP_DEFAULTS)["alpha"]
    if not any(one.kind in MIXED and not one.variable for one in task.inputs.values()):
        kinds = ", ".join(one.kind for one in task.inputs.values())
        raise SettingError(f"mixup mixes inputs of numbers of one size; task {task.name!r} has {kinds}")
    fit = replace(settings.fit, mixup=alpha)
    return replace(deterministic(task, spec, MethodSettings(fit), run=run, name=name), settings=settings)
