"""Distillation: its distances against closed forms, that the teacher is heard, and nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from pomona.fit import FitSettings, fit
from pomona.fit.distillation import DISTILLED_KINDS, Lessons, TaughtSource, distance, distil, taught_by
from pomona.fit.evaluate import predict
from pomona.fit.extension import Extension
from pomona.foundation.errors import RunError, SettingError
from pomona.foundation.run import open_run, temporary_run
from pomona.networks.build import build
from pomona.networks.default import default_spec
from pomona.tasks import load_task
from pomona.tasks.source import SubsetSource

TASKS = {
    "classify": "digits",
    "multilabel": "digit-properties",
    "regress": "diabetes",
    "segment": "shapes",
    "sequence": "tagged-words",
    "forecast": "seasonal-series",
    "two targets": "two-digits",
}
SETTINGS = FitSettings(steps=6, batch_size=16, augment="none")


def small(name):
    """The task with a few of its examples."""
    task = load_task(name)
    kept = {"train": 160, "valid": 40}
    few = {
        split: SubsetSource(task.splits[split], np.arange(min(count, task.splits[split].size)))
        for split, count in kept.items()
    }
    return replace(task, splits={**task.splits, **few})


def lessons_of(task, **how):
    """What an untrained network says of the training examples."""
    network = build(default_spec(task), 5)
    return Lessons(predict(network, task.splits["train"], task), **how)


def test_the_distance_of_classes_is_their_divergence_at_the_temperature():
    generator = torch.Generator().manual_seed(0)
    head, teacher = torch.randn(2, 7, 4, generator=generator, dtype=torch.float64)
    for temperature in (1.0, 3.0):
        expected = temperature**2 * functional.kl_div(
            functional.log_softmax(head / temperature, -1),
            functional.softmax(teacher / temperature, -1),
            reduction="none",
        ).sum(-1)
        found = distance("classify", head, teacher.softmax(-1), temperature)
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(distance("sequence", head, teacher.softmax(-1), temperature), expected)
        pixels = distance(
            "segment", head.T.reshape(1, 4, 7, 1), teacher.softmax(-1).T.reshape(1, 4, 7, 1), temperature
        )
        torch.testing.assert_close(pixels.flatten(), expected)


def test_the_distance_of_labels_is_that_of_classes_no_and_yes():
    generator = torch.Generator().manual_seed(1)
    head, teacher = torch.randn(2, 50, generator=generator, dtype=torch.float64)
    both = distance(
        "classify",
        torch.stack([torch.zeros(50), head], 1),
        torch.stack([torch.sigmoid(-teacher), torch.sigmoid(teacher)], 1),
        2.0,
    )
    torch.testing.assert_close(distance("multilabel", head, torch.sigmoid(teacher), 2.0), both)


@pytest.mark.parametrize("kind", DISTILLED_KINDS)
def test_the_distance_is_zero_at_the_teacher_alone_and_finite_where_it_is_certain(kind):
    generator = torch.Generator().manual_seed(2)
    head = torch.randn(3, 4, 5, 6, generator=generator)
    said = head
    if kind in ("classify", "sequence"):
        said = head.softmax(-1)
    elif kind == "segment":
        said = head.softmax(1)
    elif kind == "multilabel":
        said = head.sigmoid()
    near = distance(kind, head, said, 2.0)
    torch.testing.assert_close(near, torch.zeros_like(near), atol=1e-5, rtol=0)
    certain = torch.zeros_like(said)
    certain[:, 0, :, 0] = 1.0
    far = distance(kind, head.requires_grad_(), certain, 4.0)
    far.sum().backward()
    assert far.isfinite().all()
    assert far.min() >= -1e-6
    assert head.grad.isfinite().all()


@pytest.mark.parametrize("kind", TASKS)
def test_without_a_share_the_teacher_changes_nothing(kind):
    task = small(TASKS[kind])
    with temporary_run(threads=1) as run:
        alone = fit(task, default_spec(task), SETTINGS, run=run, name="alone")
    with temporary_run(threads=1) as run:
        taught = distil(
            task, default_spec(task), SETTINGS, lessons_of(task, share=0.0), run=run, name="alone"
        )
    assert alone.valid == taught.valid
    assert all(torch.equal(alone.state[name], taught.state[name]) for name in alone.state)


@pytest.mark.parametrize("kind", TASKS)
def test_a_teacher_alone_is_imitated_in_every_kind_of_task(kind):
    task = small(TASKS[kind])
    spec, lessons = default_spec(task), lessons_of(task, share=1.0, temperature=1.0)
    settings = replace(SETTINGS, steps=60, learning_rate=3e-3, keep="last")

    def apart(network):
        said = predict(network, task.splits["train"], task)
        return np.mean([np.abs(said[name] - lessons.predictions[name]).mean() for name in task.targets])

    with temporary_run(threads=1) as run:
        result = distil(task, spec, settings, lessons, run=run, name="pupil")
        start = build(spec, 1)
        before = apart(start)
        start.load_state_dict(result.state)
    assert apart(start) < before / 2


def test_padded_steps_and_weights_count_as_in_the_loss():
    task = small("tagged-words")
    (name,) = task.targets
    mask = task.splits["train"].read(np.arange(task.splits["train"].size))[f"{name}.mask"]
    lessons = lessons_of(task, share=1.0)
    spoiled = np.where(mask[..., None], lessons.predictions[name], 0.0)
    states = []
    for said in (lessons.predictions[name], spoiled.astype(np.float32)):
        with temporary_run(threads=1) as run:
            states.append(
                distil(
                    task, default_spec(task), SETTINGS, replace(lessons, predictions={name: said}), run=run
                )
            )
    assert all(torch.equal(states[0].state[key], states[1].state[key]) for key in states[0].state)


def test_every_example_goes_with_its_own_lesson():
    task = load_task("digits")
    source = task.splits["train"]
    said = taught_by(lambda batch: {"digit": np.eye(10)[batch["digit"]]}, task)["digit"]
    assert said.dtype == np.float32
    taught = TaughtSource(source, {"lesson": said})
    ids = np.array([7, 3, 900])
    np.testing.assert_array_equal(taught.read(ids)["lesson"].argmax(1), source.read(ids)["digit"])
    assert taught.size == source.size


def test_a_resumed_fit_hears_the_same_teacher_and_no_other(tmp_path):
    task = small("digits")
    settings = replace(SETTINGS, checkpoint_seconds=0.0)

    def taught(temperature):
        with open_run(tmp_path / "run", verb="fit", subject="digits", identity={}, threads=1) as run:
            lessons = lessons_of(task, share=0.9, temperature=temperature)
            return distil(task, default_spec(task), settings, lessons, run=run).state

    first, again = taught(1.0), taught(1.0)
    assert all(torch.equal(first[name], again[name]) for name in first)
    with pytest.raises(RunError, match="other work"):
        taught(4.0)


def test_a_watch_sees_a_taught_fit():
    task, seen = small("digits"), []
    watching = Extension(watch=lambda step, network, found: seen.append(step) or "enough")
    with temporary_run(threads=1) as run:
        result = distil(task, default_spec(task), SETTINGS, lessons_of(task), run=run, extension=watching)
    assert seen
    assert result.stopped == "enough"


def test_a_further_objective_is_kept_beside_the_teacher():
    task, spec = small("digits"), default_spec(load_task("digits"))
    further = Extension(objective=lambda heads, batch, own, share: 3 * own(heads), key="thrice")
    with temporary_run(threads=1) as run:
        alone = fit(task, spec, SETTINGS, run=run, name="alone", extension=further)
    with temporary_run(threads=1) as run:
        lessons = lessons_of(task, share=0.0)
        taught = distil(task, spec, SETTINGS, lessons, run=run, name="alone", extension=further)
    assert all(torch.equal(alone.state[name], taught.state[name]) for name in alone.state)


def test_what_cannot_be_taught_is_refused_in_a_line():
    digits = load_task("digits")
    with pytest.raises(SettingError, match="mixup"):
        distil(digits, default_spec(digits), replace(SETTINGS, mixup=0.2), lessons_of(digits))
    language = load_task("small-grammar")
    with pytest.raises(SettingError, match="language"):
        distil(language, default_spec(language), SETTINGS, Lessons({}))
    with pytest.raises(SettingError, match="share"):
        Lessons({}, share=1.5)
    with pytest.raises(SettingError, match="temperature"):
        Lessons({}, temperature=0.0)
