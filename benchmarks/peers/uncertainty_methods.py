"""Methods of torch-uncertainty, laplace-torch and scikit-learn: functions of question, point and seed."""

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from uncertainty_training import OneInput, Question, Say, move, optimiser_of, stream_of_batches, trained

# a torchvision that was built for another build of torch lacks its operations, none of which is needed here
_LIBRARY = torch.library.Library("torchvision", "FRAGMENT")
for _name in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, _name):
        _LIBRARY.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from laplace import Laplace  # noqa: E402
from torch_uncertainty.layers import BatchConv2d, BatchLinear  # noqa: E402
from torch_uncertainty.layers.distributions import NormalLinear  # noqa: E402
from torch_uncertainty.losses import DECLoss, DistributionNLLLoss  # noqa: E402
from torch_uncertainty.methods import SWAG, BatchEnsemble, deep_ensembles, mc_dropout  # noqa: E402
from torch_uncertainty.models.mlp import packed_mlp  # noqa: E402
from torch_uncertainty.post_processing import TemperatureScaler  # noqa: E402

Point = dict[str, float]
MEMBERS, SAMPLES, SNAPSHOTS = 4, 30, 20
HIDDEN = [128, 128, 128]
ROWS, LAPLACE_ROWS = 256, 16
MOST_JACOBIANS = 2e8
"""Numbers in the Jacobians of all answers; beyond, a Laplace takes minutes a fit."""

_plain: dict[tuple[float, float, int], nn.Module] = {}


def plain(question: Question, point: Point, seed: int) -> Say:
    """The network as it is; of values one that tells a normal law."""
    return answers(question, plain_network(question, point, seed))


def deep_ensemble(question: Question, point: Point, seed: int) -> Say:
    """torch-uncertainty's container of networks from unlike seeds."""
    members = [plain_network(question, point, seed + 1000 * k) for k in range(MEMBERS)]
    return answers(question, deep_ensembles(members, **kind_of(question)).eval(), MEMBERS)


def monte_carlo_dropout(question: Question, point: Point, seed: int) -> Say:
    """torch-uncertainty's wrapper around a network with dropout after every block with weights."""
    core = usual_fit(question, fresh(question, seed, rate=point["rate"]), point, seed)
    wrapped = mc_dropout(core, num_estimators=SAMPLES, on_batch=False, **kind_of(question))
    return answers(question, wrapped.eval(), SAMPLES)


def batch_ensemble(question: Question, point: Point, seed: int) -> Say:
    """torch-uncertainty's layers in the place of the network's own; every member sees every batch."""
    network = BatchEnsemble(with_members(fresh(question, seed)), MEMBERS, repeat_training_inputs=True)
    return answers(question, usual_fit(question, network, point, seed, MEMBERS), MEMBERS)


def packed_ensemble(question: Question, point: Point, seed: int) -> Say:
    """torch-uncertainty's own network of the same widths, its members packed into one."""
    normal = None if question.is_classes else "normal"
    network = packed_mlp(
        question.inputs["train"].shape[1],
        question.num_outputs,
        HIDDEN,
        num_estimators=MEMBERS,
        dropout_rate=0.1,
        dist_family=normal,
    )
    return answers(question, usual_fit(question, network, point, seed, MEMBERS), MEMBERS)


def temperature_scaling(question: Question, point: Point, seed: int) -> Say:
    """torch-uncertainty's scaler, fitted on the examples kept for that."""
    scaler = TemperatureScaler(plain_network(question, point, seed))
    scaler.fit(loader(question, "calibrate"), progress=False)
    return answers(question, scaler)


def evidential(question: Question, point: Point, seed: int) -> Say:
    """The usual network under torch-uncertainty's evidential loss."""
    loss = DECLoss(reg_weight=point["strength"], loss_type="digamma")

    def meaning(raw: Tensor) -> Tensor:
        counts = raw.double().relu() + 1
        return counts / counts.sum(1, keepdim=True)

    network = trained(question, OneInput(question, seed), point, seed, loss=loss, meaning=meaning)
    return answers(question, network, meaning=meaning)


def swag(question: Question, point: Point, seed: int) -> Say:
    """torch-uncertainty's SWAG over what training passes when it goes on for half its steps."""
    network = plain_network(question, point, seed)
    rate = point["learning_rate"] * point["slower"]
    network.train()
    optimiser = optimiser_of(network, {**point, "learning_rate": rate})
    wrapped = SWAG(network, 0, 1, scale=point["scale"], max_num_models=SNAPSHOTS, num_estimators=1)
    loss, batches = loss_of(question), stream_of_batches(question, question.fit["batch_size"], seed + 1)
    for snapshot in range(1, SNAPSHOTS + 1):
        for _ in range(max(question.fit["steps"] // (2 * SNAPSHOTS), 1)):
            x, y = next(batches)
            move(network, optimiser, loss(network(x), y))
        wrapped.update_wrapper(snapshot)
    wrapped.samples = [wrapped.sample(wrapped.scale, False) for _ in range(SAMPLES)]
    return answers(question, wrapped.eval(), SAMPLES)


def laplace_last_layer(question: Question, point: Point, seed: int) -> Say:
    """laplace-torch around the last layer; by Kronecker factors where a full matrix would be large."""
    network = point_network(question, point, seed)
    width = (network.width + 1) * question.num_outputs
    structure = "full" if width <= 3000 else "kron"
    _check_size(question, width)
    posterior = Laplace(network, _likelihood(question), "last_layer", structure, last_layer_name="last")
    return laplace(question, posterior, point["prior_precision"])


def laplace_kronecker(question: Question, point: Point, seed: int) -> Say:
    """laplace-torch around all linear and convolutional layers, by Kronecker factors."""
    network = point_network(question, point, seed)
    for part in network.modules():
        if not isinstance(part, nn.Linear | nn.Conv2d):
            for weight in part.parameters(recurse=False):
                weight.requires_grad_(False)
    size = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
    _check_size(question, size)
    return laplace(question, Laplace(network, _likelihood(question), "all", "kron"), point["prior_precision"])


def calibrated(question: Question, point: Point, seed: int) -> Say:
    """scikit-learn's network of the same widths, its temperature fitted on the examples kept for that."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.neural_network import MLPClassifier

    x, y = (parts["train"].numpy() for parts in (question.inputs, question.targets))
    passes = max(round(question.fit["steps"] * question.fit["batch_size"] / len(y)), 1)
    network = MLPClassifier(
        HIDDEN,
        alpha=point["weight_decay"],
        batch_size=min(question.fit["batch_size"], len(y)),
        learning_rate_init=point["learning_rate"],
        max_iter=passes,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # it says that it was stopped, as it is meant to be, and that some class has few examples
        warnings.simplefilter("ignore")
        network.fit(_flat(x), y)
        scaled = CalibratedClassifierCV(FrozenEstimator(network), method="temperature")
        scaled.fit(_flat(question.inputs["calibrate"].numpy()), question.targets["calibrate"].numpy())
    return lambda x: torch.from_numpy(scaled.predict_proba(_flat(x.numpy())))


def linear(question: Question, point: Point, seed: int) -> Say:
    """scikit-learn's logistic or Bayesian linear regression: no network at all."""
    from sklearn.linear_model import BayesianRidge, LogisticRegression

    x, y = (parts["train"].numpy() for parts in (question.inputs, question.targets))
    if question.is_classes:
        found = LogisticRegression(C=point["strength"], max_iter=1000).fit(_flat(x), y)
        return lambda x: torch.from_numpy(found.predict_proba(_flat(x.numpy())).astype(np.float64))
    ridge = BayesianRidge().fit(_flat(x), y)
    return lambda x: tuple(torch.from_numpy(v) for v in ridge.predict(_flat(x.numpy()), return_std=True))


METHODS: dict[str, Callable[[Question, Point, int], Say]] = {
    "plain": plain,
    "deep-ensemble": deep_ensemble,
    "mc-dropout": monte_carlo_dropout,
    "batch-ensemble": batch_ensemble,
    "packed-ensemble": packed_ensemble,
    "temperature-scaling": temperature_scaling,
    "evidential": evidential,
    "swag": swag,
    "laplace-last-layer": laplace_last_layer,
    "laplace-kronecker": laplace_kronecker,
    "calibrated": calibrated,
    "linear": linear,
}
"""Name → what fits it. Those for values have a normal law as last layer, those of Laplace a mean."""


def answers(
    question: Question, network: nn.Module, members: int = 1, *, meaning: Callable[[Any], Any] | None = None
) -> Say:
    """What a network says whose members lie along the batch."""
    meant = meaning or meaning_of(question, members)

    @torch.no_grad()
    def say(x: Tensor) -> Any:
        parts = [meant(network(rows)) for rows in x.split(ROWS)]
        if question.is_classes:
            return torch.cat(parts)
        return tuple(torch.cat(column) for column in zip(*parts, strict=True))

    return say


def meaning_of(question: Question, members: int) -> Callable[[Any], Any]:
    """The mean of members' probabilities; mean and deviation of the mixture of their normal laws."""
    if question.is_classes:
        return lambda raw: raw.double().unflatten(0, (members, -1)).softmax(-1).mean(0)

    def mixture(raw: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        mean, scale = (raw[name].double().reshape(members, -1) for name in ("loc", "scale"))
        return mean.mean(0), ((scale**2).mean(0) + mean.var(0, correction=0)).sqrt()

    return mixture


def plain_network(question: Question, point: Point, seed: int) -> nn.Module:
    """One network, fitted as usual; the same one for every method that starts from it."""
    key = (point["learning_rate"], point["weight_decay"], seed)
    if key not in _plain:
        _plain[key] = usual_fit(question, fresh(question, seed), point, seed)
    return copy.deepcopy(_plain[key])


def point_network(question: Question, point: Point, seed: int) -> nn.Module:
    """One network whose raw output is a point, as Laplace wants it: of values the mean alone."""
    if question.is_classes:
        return plain_network(question, point, seed)

    def meaning(raw: Tensor) -> tuple[Tensor, Tensor]:
        return raw[:, 0].double(), torch.ones(len(raw), dtype=torch.float64)

    network = OneInput(question, seed)
    return trained(question, network, point, seed, loss=lambda r, y: F.mse_loss(r[:, 0], y), meaning=meaning)


def fresh(question: Question, seed: int, *, rate: float = 0.0) -> OneInput:
    """A network with its first weights; of values one that tells a normal law."""
    if question.is_classes:
        return OneInput(question, seed, rate=rate)
    last = NormalLinear(base_layer=nn.Linear, event_dim=1, in_features=OneInput(question, seed).width)
    return OneInput(question, seed, last=last, rate=rate)


def usual_fit(question: Question, network: nn.Module, point: Point, seed: int, members: int = 1) -> nn.Module:
    """Trained by cross-entropy, or by what normal laws cost; every member on every example."""
    meaning = meaning_of(question, members)
    return trained(question, network, point, seed, loss=loss_of(question, members), meaning=meaning)


def loss_of(question: Question, members: int = 1) -> Callable[[Any, Tensor], Tensor]:
    """The mean over members of the loss."""
    if question.is_classes:
        return lambda raw, y: F.cross_entropy(raw, y.repeat(members))
    normal = DistributionNLLLoss()
    return lambda raw, y: normal(torch.distributions.Normal(**raw), y.repeat(members)[:, None])


def kind_of(question: Question) -> dict[str, Any]:
    """What torch-uncertainty calls the kind of task."""
    if question.is_classes:
        return {"task": "classification"}
    return {"task": "regression", "probabilistic": True}


def with_members(network: OneInput) -> OneInput:
    """The network with torch-uncertainty's layers for members in the place of its own."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear):
                setattr(parent, name, BatchLinear.from_linear(child, MEMBERS))
            elif isinstance(child, nn.Conv2d):
                setattr(parent, name, BatchConv2d.from_conv2d(child, MEMBERS))
    return network


def laplace(question: Question, posterior: Any, precision: float) -> Say:
    """The posterior fitted, its answers by the linearised network.

    A precision of 0 is chosen: of classes by the nll of validation examples, of values, where the package
    would go by squared errors, together with the noise by evidence.
    """
    posterior.fit(loader(question, "train"))
    if not question.is_classes:
        _choose_noise(posterior)
    if precision:
        posterior.prior_precision = precision
    elif question.is_classes:
        posterior.optimize_prior_precision(
            "glm",
            "gridsearch",
            val_loader=loader(question, "valid", LAPLACE_ROWS),
            log_prior_prec_min=-1,
            log_prior_prec_max=4,
            grid_size=11,
            link_approx="probit",
        )

    def say(x: Tensor) -> Any:
        if question.is_classes:
            return torch.cat([posterior(rows, link_approx="probit") for rows in x.split(LAPLACE_ROWS)])
        parts = [posterior(rows) for rows in x.split(LAPLACE_ROWS)]
        means, variances = (torch.cat([part[k].reshape(-1) for part in parts]) for k in (0, 1))
        return means, (variances + posterior.sigma_noise**2).sqrt()

    return say


def _choose_noise(posterior: Any) -> None:
    """Prior precision and noise by evidence, as laplace-torch's example of regression chooses them."""
    logarithms = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    optimiser = torch.optim.Adam(logarithms, 0.1)
    for _ in range(100):
        optimiser.zero_grad()
        (-posterior.log_marginal_likelihood(*(one.exp() for one in logarithms))).sum().backward()
        optimiser.step()


def loader(question: Question, part: str, rows: int = 64) -> DataLoader:
    """A part in batches, in order; values in a column, as raw outputs are."""
    truth = question.targets[part] if question.is_classes else question.targets[part][:, None]
    return DataLoader(TensorDataset(question.inputs[part], truth), batch_size=rows)


def _check_size(question: Question, num_weights: int) -> None:
    asked = len(question.targets["valid"]) + len(question.targets["test"])
    if num_weights * asked * question.num_outputs > MOST_JACOBIANS:
        raise ValueError("left out: the Jacobians of its answers would take minutes a fit")


def _likelihood(question: Question) -> str:
    return "classification" if question.is_classes else "regression"


def _flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1)
