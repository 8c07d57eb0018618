"""Settings refuse what makes no sense in one line, survive JSON, and name what the tables hold."""

import json
import subprocess
import sys
from typing import get_args

import pytest

from pomona.fit import settings as module
from pomona.fit.augment import AMOUNTS
from pomona.fit.objectives import OBJECTIVES, OBJECTIVES_OF
from pomona.fit.optimisers import OPTIMISERS
from pomona.fit.plan import Plan, plan
from pomona.fit.schedules import SCHEDULES
from pomona.fit.settings import FitSettings
from pomona.foundation.errors import SettingError
from pomona.tasks.task import TARGET_KINDS


@pytest.mark.parametrize(
    ("names", "table"),
    [
        (module.Optimizer, OPTIMISERS),
        (module.Schedule, SCHEDULES),
        (module.Augment, {"auto", *AMOUNTS}),
        (module.Objective, {"auto", *OBJECTIVES}),
    ],
)
def test_settings_name_exactly_what_the_tables_hold(names, table):
    assert set(get_args(names)) == set(table)


def test_every_kind_of_task_has_an_objective():
    assert set(OBJECTIVES_OF) == set(TARGET_KINDS)
    assert {name for names in OBJECTIVES_OF.values() for name in names} == set(OBJECTIVES)


def test_settings_survive_json():
    settings = FitSettings(epochs=3, optimizer="sgd", ema=0.99, augment="strong", flip=True)
    assert FitSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    assert FitSettings.from_json({}) == FitSettings()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("steps", -1),
        ("batch_size", 0),
        ("accumulate", 65),
        ("optimizer", "adamm"),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("schedule", "cosin"),
        ("warmup", 1.0),
        ("weight_decay", -0.1),
        ("momentum", 1.0),
        ("clip_norm", float("nan")),
        ("ema", 1.0),
        ("label_smoothing", -0.1),
        ("class_weights", "yes"),
        ("augment", "extreme"),
        ("mixup", -1.0),
        ("early_stopping", -1),
        ("keep", "first"),
        ("evaluate_every", 0),
        ("objective", "hinge"),
        ("precision", "float16"),
        ("memory_mb", 0),
        ("checkpoint_seconds", -1.0),
    ],
)
def test_a_setting_out_of_range_is_named_in_one_line(field, value):
    with pytest.raises(SettingError, match=field) as caught:
        FitSettings(**{field: value})
    assert "\n" not in str(caught.value)


def test_an_unknown_setting_in_json_is_named():
    with pytest.raises(SettingError, match=r"batch_sise.*did you mean 'batch_size'"):
        FitSettings.from_json({"batch_sise": 3})


def test_settings_and_the_package_import_no_torch():
    code = "import sys, pomona.fit, pomona.fit.settings, pomona.fit.threads; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("settings", "epoch_steps", "wanted"),
    [
        (FitSettings(epochs=3, evaluate_every=2), 10, Plan(30, 10, 20)),
        (FitSettings(epochs=3, steps=7), 10, Plan(7, 10, 10)),
        (FitSettings(), 20, Plan(2000, 20, 80)),
        (FitSettings(), 1, Plan(200, 1, 7)),
        (FitSettings(), 1000, Plan(10_000, 1000, 1000)),
    ],
)
def test_epochs_and_steps_make_the_plan(settings, epoch_steps, wanted):
    assert plan(settings, epoch_steps) == wanted


def test_the_last_step_is_always_followed_by_an_evaluation():
    found = plan(FitSettings(steps=25), 10)
    assert [n for n in range(1, 26) if found.is_evaluated(n)] == [10, 20, 25]
