"""Losses agree with their formulas, and what has weight 0 or is masked is as if it were not there."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from pomona.fit.class_weights import balanced_weights
from pomona.fit.objectives import Loss, TargetLoss, check_heads, example_losses, plain_loss, task_loss
from pomona.fit.settings import FitSettings
from pomona.foundation.errors import SettingError, SpecError
from pomona.networks.default import default_spec
from pomona.tasks import load_task
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing import Preprocessing
from pomona.tasks.source import ArraySource, DrawnSource
from pomona.tasks.task import Task

BATCH, TIME, CLASSES, SIZE = 6, 5, 4, 3

SHAPES = {
    "classify": ("cross-entropy", (BATCH, CLASSES), ()),
    "segment": ("cross-entropy", (BATCH, CLASSES, SIZE, SIZE), (SIZE, SIZE)),
    "sequence": ("cross-entropy", (BATCH, TIME, CLASSES), (TIME,)),
    "language": ("cross-entropy", (BATCH, TIME, CLASSES), (TIME,)),
    "multilabel": ("binary-cross-entropy", (BATCH, CLASSES), (CLASSES,)),
    "regress": ("squared-error", (BATCH, 2), (2,)),
    "forecast": ("huber", (BATCH, TIME, 2), (TIME, 2)),
}


def example(kind):
    """A loss, a head that wants gradients, and a batch in float64."""
    objective, head_shape, shape = SHAPES[kind]
    generator = torch.Generator().manual_seed(7)
    head = torch.randn(head_shape, generator=generator, dtype=torch.float64).requires_grad_()
    if objective == "cross-entropy":
        low = 1 if kind == "language" else 0
        truth = torch.randint(low, CLASSES, (BATCH, *shape), generator=generator)
    elif kind == "multilabel":
        truth = torch.randint(2, (BATCH, *shape), generator=generator).double()
    else:
        truth = torch.randn((BATCH, *shape), generator=generator, dtype=torch.float64)
    return TargetLoss("y", kind, objective), head, {"y": truth}


def by_hand(kind, head, truth):
    """Losses of the elements from the formulas, with the classes moved to the end."""
    if kind == "multilabel":
        held = torch.where(truth > 0.5, head.sigmoid(), 1 - head.sigmoid())
        return -held.log()
    if kind == "regress":
        return (head - truth) ** 2
    if kind == "forecast":
        distance = (head - truth).abs()
        return torch.where(distance < 1, distance**2 / 2, distance - 0.5)
    scores = head.movedim(1, -1) if kind == "segment" else head
    return -(scores.exp() / scores.exp().sum(-1, keepdim=True)).log().gather(-1, truth[..., None])[..., 0]


@pytest.mark.parametrize("kind", SHAPES)
def test_losses_of_elements_are_their_formulas(kind):
    loss, head, batch = example(kind)
    wanted = by_hand(kind, head, batch["y"])
    torch.testing.assert_close(loss.elements(head, batch["y"]), wanted)
    torch.testing.assert_close(Loss((loss,))({"y": head}, batch), wanted.mean())


@pytest.mark.parametrize("kind", SHAPES)
def test_examples_of_weight_zero_count_as_if_they_were_absent(kind):
    loss, head, batch = example(kind)
    weight = torch.tensor([1.0, 0, 1, 1, 0, 1], dtype=torch.float64)
    present = weight > 0
    ((gradient,), value) = with_gradient(Loss((loss,)), head, {**batch, "weight": weight})
    ((absent,), wanted) = with_gradient(
        Loss((loss,)), head.detach()[present].requires_grad_(), {"y": batch["y"][present]}
    )
    torch.testing.assert_close(value, wanted)
    torch.testing.assert_close(gradient[present], absent)
    assert not gradient[~present].any()


@pytest.mark.parametrize("kind", ["sequence", "forecast"])
def test_masked_steps_count_as_if_they_were_absent(kind):
    loss, head, batch = example(kind)
    mask = torch.arange(TIME) < torch.tensor([5, 1, 3, 2, 4, 1])[:, None]
    ((gradient,), value) = with_gradient(Loss((loss,)), head, {**batch, "y.mask": mask})
    torch.testing.assert_close(value, by_hand(kind, head, batch["y"])[mask].mean())
    assert not gradient[~mask].any()
    assert gradient[mask].any()


def test_padding_of_a_language_is_never_asked_for():
    loss, head, batch = example("language")
    batch["y"][:, 3:] = 0
    real = by_hand("language", head, batch["y"])[:, :3]
    torch.testing.assert_close(Loss((loss,))({"y": head}, batch), real.mean())


def test_weights_weigh_elements():
    loss, head, batch = example("sequence")
    weight = torch.tensor([2.0, 0, 1, 3, 0.5, 1], dtype=torch.float64)
    elements = by_hand("sequence", head, batch["y"])
    wanted = (elements * weight[:, None]).sum() / (weight.sum() * TIME)
    torch.testing.assert_close(Loss((loss,))({"y": head}, {**batch, "weight": weight}), wanted)


def test_what_is_not_finite_but_has_no_weight_does_no_harm():
    loss, head, batch = example("regress")
    batch["y"][2] = torch.inf
    weight = torch.tensor([1.0, 1, 0, 1, 1, 1], dtype=torch.float64)
    assert Loss((loss,))({"y": head}, {**batch, "weight": weight}).isfinite()


def test_a_batch_in_which_nothing_counts_has_loss_zero():
    loss, head, batch = example("classify")
    ((gradient,), value) = with_gradient(
        Loss((loss,)), head, {**batch, "weight": torch.zeros(BATCH, dtype=torch.float64)}
    )
    assert value == 0
    assert not gradient.any()


def test_class_weights_agree_with_torch():
    _, head, batch = example("classify")
    weights = torch.tensor([1.0, 2.0, 0.5, 3.0], dtype=torch.float64)
    loss = TargetLoss("y", "classify", "cross-entropy", class_weights=weights)
    wanted = functional.cross_entropy(head, batch["y"], weight=weights)
    torch.testing.assert_close(Loss((loss,))({"y": head}, batch), wanted)


@pytest.mark.parametrize("kind", ["classify", "segment", "sequence"])
def test_label_smoothing_agrees_with_the_mean_over_classes(kind):
    _, head, batch = example(kind)
    smooth = TargetLoss("y", kind, "cross-entropy", label_smoothing=0.2)
    classes_last = head.movedim(1, -1) if kind == "segment" else head
    uniform = -classes_last.log_softmax(-1).mean(-1)
    wanted = 0.8 * by_hand(kind, head, batch["y"]) + 0.2 * uniform
    torch.testing.assert_close(smooth.elements(head, batch["y"]), wanted)
    torch.testing.assert_close(
        plain_loss(Loss((smooth,)))({"y": head}, batch), by_hand(kind, head, batch["y"]).mean()
    )


@pytest.mark.parametrize("kind", SHAPES)
def test_shares_of_pieces_add_up_to_the_whole(kind):
    loss, head, batch = example(kind)
    both = Loss((loss,))
    batch = {**batch, "weight": torch.tensor([1.0, 0, 2, 1, 0.3, 1], dtype=torch.float64)}
    totals = both.totals(batch)
    shares = [
        both.share(
            {"y": head[start : start + 2]}, {k: v[start : start + 2] for k, v in batch.items()}, totals
        )
        for start in range(0, BATCH, 2)
    ]
    torch.testing.assert_close(torch.stack(shares).sum(), both({"y": head}, batch))


def test_losses_of_several_targets_are_added():
    one, head, batch = example("classify")
    other = TargetLoss("z", "classify", "cross-entropy")
    heads, truths = {"y": head, "z": head * 2}, {**batch, "z": batch["y"]}
    alone = Loss((one,))(heads, truths) + Loss((other,))(heads, truths)
    torch.testing.assert_close(Loss((one, other))(heads, truths), alone)


def test_losses_of_examples_average_over_real_steps():
    loss, head, batch = example("sequence")
    mask = torch.arange(TIME) < torch.tensor([5, 1, 3, 2, 4, 0])[:, None]
    elements = by_hand("sequence", head, batch["y"])
    found = example_losses(loss, head, {**batch, "y.mask": mask, "weight": torch.zeros(BATCH)})
    wanted = torch.stack(
        [row[real].mean() if real.any() else row.sum() * 0 for row, real in zip(elements, mask, strict=True)]
    )
    torch.testing.assert_close(found, wanted)
    plain, head, batch = example("classify")
    torch.testing.assert_close(example_losses(plain, head, batch), by_hand("classify", head, batch["y"]))


def test_balanced_weights_make_classes_count_alike():
    labels = np.array([0] * 6 + [1] * 3 + [2])
    weights = balanced_weights(class_task(labels, "abcd"))["y"]
    torch.testing.assert_close(weights, torch.tensor([10 / 18, 10 / 9, 10 / 3, 1.0]))
    counted = weights[torch.from_numpy(labels)]
    assert counted.mean().item() == pytest.approx(1.0)


def test_balanced_weights_of_labels_are_negatives_by_positives():
    labels = np.float32([[1, 0], [1, 1], [1, 0], [0, 0]])
    features = {"y": Feature("y", "labels", (2,), classes=("a", "b"))}
    found = balanced_weights(made("multilabel", features, labels))["y"]
    torch.testing.assert_close(found, torch.tensor([1 / 3, 3.0]))


def test_balanced_weights_are_refused_where_there_is_nothing_to_count():
    with pytest.raises(SettingError, match="forecast"):
        balanced_weights(load_task("seasonal-series"))
    task = class_task(np.array([0, 1]), "ab")
    endless = DrawnSource(lambda generator, size: {"y": np.zeros(size, int)})
    with pytest.raises(SettingError, match="that end"):
        balanced_weights(Task(**{**vars(task), "splits": {**task.splits, "train": endless}}))


def test_an_objective_for_another_kind_is_refused_with_the_choices():
    with pytest.raises(SettingError, match=r"huber.*classify.*cross-entropy"):
        task_loss(load_task("iris"), FitSettings(objective="huber"))
    assert task_loss(load_task("diabetes"), FitSettings(objective="huber")).targets[0].objective == "huber"


def test_a_network_of_another_task_is_refused():
    spec = default_spec(load_task("iris"))
    with pytest.raises(SpecError, match="head 'digit'"):
        check_heads(load_task("digits"), spec)


def with_gradient(loss, head, batch):
    value = loss({"y": head}, batch)
    return torch.autograd.grad(value, [head]), value


def class_task(labels, names):
    return made("classify", {"y": Feature("y", "category", (), classes=tuple(names))}, labels)


def made(kind, targets, labels):
    source = ArraySource({"x": np.zeros((len(labels), 1), np.float32), "y": labels})
    splits = dict.fromkeys(("train", "valid", "test"), source)
    return Task(
        name="made", kind=kind, inputs={"x": Feature("x", "vector", (1,))}, targets=targets, splits=splits,
        metrics=("nll",), preprocessing=Preprocessing(()), fingerprint="made",
    )  # fmt: skip
