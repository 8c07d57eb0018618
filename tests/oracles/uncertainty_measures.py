"""Records what torch-uncertainty, netcal, uncertainty-calibration and MAPIE say of fixed predictions.

    python tests/oracles/uncertainty_measures.py

Environment: benchmarks/peers/uncertainty_measures.txt. Writes tests/oracles/uncertainty_measures.npz.
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np

OUT = Path(__file__).with_suffix(".npz")
NUM_EXAMPLES, NUM_CLASSES, NUM_MEMBERS = 600, 5, 4


def main() -> None:
    """Writes the fixture."""
    given = made()
    packages = ("torch-uncertainty", "netcal", "uncertainty-calibration", "MAPIE")
    found = {
        **of_torch_uncertainty(given),
        **of_netcal(given),
        **of_uncertainty_calibration(given),
        **of_mapie(given),
    }
    versions = np.array([f"{name} {version(name)}" for name in packages])
    np.savez_compressed(OUT, versions=versions, **given, **found)
    for name, value in found.items():
        print(name, value if np.ndim(value) == 0 else np.shape(value))


def made() -> dict[str, np.ndarray]:
    """Members' probabilities of too sure a classifier, truths, outside scores, and values with deviations."""
    generator = np.random.default_rng(7)
    truth = generator.integers(0, NUM_CLASSES, NUM_EXAMPLES)
    evidence = 1.2 * np.eye(NUM_CLASSES)[truth] + generator.normal(size=(NUM_EXAMPLES, NUM_CLASSES))
    logits = 1.7 * (evidence + 0.5 * generator.normal(size=(NUM_MEMBERS, NUM_EXAMPLES, NUM_CLASSES)))
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    mean = generator.normal(size=NUM_EXAMPLES)
    deviation = generator.uniform(0.5, 2.0, NUM_EXAMPLES)
    return {
        "members": powers / powers.sum(-1, keepdims=True),
        "truth": truth,
        "inside": generator.normal(0, 1, 300),
        "outside": generator.normal(1, 1, 200),
        "mean": mean,
        "deviation": deviation,
        "value": mean + 1.3 * deviation * generator.normal(size=NUM_EXAMPLES),
    }


def of_torch_uncertainty(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Its metrics of classes, of an ensemble and of outside scores."""
    import torch

    # torchvision's operators come with a build that matches torch's; no metric uses them
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor x) -> Tensor")
    from torch_uncertainty import metrics

    calibration_error = metrics.CalibrationError(
        task="multiclass", num_bins=15, norm="l1", num_classes=NUM_CLASSES
    )
    members = torch.from_numpy(given["members"])
    mean, truth = members.mean(0), torch.from_numpy(given["truth"])
    by_example = members.transpose(0, 1)
    found = {
        "tu_nll": metrics.CategoricalNLL()(mean, truth),
        "tu_brier": metrics.BrierScore(NUM_CLASSES)(mean, truth),
        "tu_ece": calibration_error(mean, truth),
        "tu_aurc": metrics.AURC()(mean, truth),
        "tu_entropy": metrics.Entropy()(mean),
        "tu_mutual_information": metrics.MutualInformation()(by_example),
        "tu_disagreement": metrics.Disagreement()(by_example),
    }
    scores = torch.from_numpy(np.concatenate([given["inside"], given["outside"]]))
    from_outside = torch.cat([torch.zeros(len(given["inside"])), torch.ones(len(given["outside"]))]).long()
    found["tu_fpr95"] = metrics.FPR95(pos_label=1)(scores, from_outside)
    return {name: np.asarray(value, np.float64) for name, value in found.items()}


def of_netcal(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Its expected calibration error with bins of equal width, and the probabilities it has tempered."""
    from netcal.metrics import ECE
    from netcal.scaling import TemperatureScaling

    mean, truth = given["members"].mean(0), given["truth"]
    scaling = TemperatureScaling()
    scaling.fit(mean, truth)
    return {
        "netcal_ece": np.float64(ECE(15).measure(mean, truth)),
        "netcal_tempered": scaling.transform(mean),
    }


def of_uncertainty_calibration(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Its l1 error with equal-mass bins, plain and with the bias taken off by draws."""
    import calibration

    np.random.seed(0)  # noqa: NPY002 - the package knows no other generator
    mean = given["members"].mean(0)
    top = np.stack([mean.max(1), mean.argmax(1) == given["truth"]], 1)
    bins = calibration.get_equal_bins(top[:, 0], num_bins=15)
    binned = calibration.bin(list(map(tuple, top)), bins)
    debiased = [calibration.normal_debiased_ce(binned, power=1, resamples=4000) for _ in range(10)]
    return {
        "uc_plain": np.float64(calibration.plugin_ce(binned, power=1)),
        "uc_debiased": np.float64(np.mean(debiased)),
    }


def of_mapie(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Sets and intervals from the first half of examples for the second, and its measures of them."""
    from mapie.classification import SplitConformalClassifier
    from mapie.regression import SplitConformalRegressor
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

    mean, half = given["members"].mean(0), NUM_EXAMPLES // 2
    rows = np.arange(NUM_EXAMPLES)[:, None]

    class Fixed(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.classes_, self.fitted_ = np.arange(NUM_CLASSES), True
            return self

        def predict_proba(self, X):
            return mean[np.asarray(X)[:, 0]]

        def predict(self, X):
            return self.predict_proba(X).argmax(1)

    class FixedValues(RegressorMixin, BaseEstimator):
        def fit(self, X, y):
            self.fitted_ = True
            return self

        def predict(self, X):
            return given["mean"][np.asarray(X)[:, 0]]

    found = {}
    classifier = Fixed().fit(rows, given["truth"])
    for name, score, options in (("lac", "lac", {}), ("aps", "aps", {"include_last_label": True})):
        conformal = SplitConformalClassifier(
            classifier, confidence_level=0.9, conformity_score=score, prefit=True, random_state=0
        )
        conformal.conformalize(rows[:half], given["truth"][:half])
        _, sets = conformal.predict_set(rows[half:], conformity_score_params=options)
        found[f"mapie_{name}"] = sets[..., 0]
    regressor = SplitConformalRegressor(
        FixedValues().fit(rows, given["value"]), confidence_level=0.9, prefit=True
    )
    regressor.conformalize(rows[:half], given["value"][:half])
    found["mapie_interval"] = regressor.predict_interval(rows[half:])[1][..., 0]
    return found


if __name__ == "__main__":
    main()
