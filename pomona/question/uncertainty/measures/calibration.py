"""Does "90 % sure" mean right nine times in ten? Expected calibration errors, their bias and their interval.

All of them are means over bins of |mean confidence - accuracy|, weighted by the bins' shares. Noise within a
bin never cancels out, so that the plain errors are too large, the more the fewer the examples; and a model
that is never sure of anything can have none. They are to be read beside nll or Brier.
"""

import numpy as np
from jaxtyping import Float, Int

from pomona.foundation.statistics import Interval
from pomona.question.uncertainty.measures.likelihood import Labels, is_right
from pomona.question.uncertainty.measures.measure import Measure
from pomona.question.uncertainty.said import Said
from pomona.tasks.metrics.calibration import NUM_BINS, equal_mass_bins

Column = Float[np.ndarray, " batch"]
Places = Int[np.ndarray, " batch"]

NUM_RESAMPLES = 1000


def equal_mass_error(said: Said, truth: Labels) -> float:
    """Over 15 bins of equally many examples."""
    confidence = said.probabilities.max(axis=1)
    return binned_error(confidence, is_right(said, truth), _mass_bins(confidence))


def equal_width_error(said: Said, truth: Labels) -> float:
    """Over 15 bins of equal width (Guo et al. 2017)."""
    confidence = said.probabilities.max(axis=1)
    return binned_error(confidence, is_right(said, truth), width_bins(confidence))


def debiased_error(said: Said, truth: Labels) -> float:
    """The equal-mass error less the bias that noise within bins is seen to give it, at least 0.

    The accuracy of a bin is taken as normal around what was seen (Kumar et al. 2019, appendix on the
    l1 error); there the bias is drawn, here it is the mean of the folded normal distribution itself. Near 0
    it takes off about a third of the error of a calibrated model: what was seen stands for what is true.
    """
    confidence, right = said.probabilities.max(axis=1), is_right(said, truth)
    place = _mass_bins(confidence)
    count = np.bincount(place)
    kept = count > 0
    gap = (np.bincount(place, right - confidence)[kept]) / count[kept]
    accuracy = np.bincount(place, right)[kept] / count[kept]
    noise = np.sqrt(accuracy * (1 - accuracy) / count[kept])
    corrected = 2 * np.abs(gap) - _folded_mean(gap, noise)
    return float(max(count[kept] @ corrected / count.sum(), 0.0))


def class_wise_error(said: Said, truth: Labels) -> float:
    """The mean over classes of the error of each class's own probability, in bins of equal width.

    It sees what the probability of the likeliest class hides (Nixon et al. 2019, static calibration error).
    """
    errors = []
    for index in range(said.probabilities.shape[1]):
        chance = said.probabilities[:, index]
        errors.append(binned_error(chance, (truth == index).astype(np.float64), width_bins(chance)))
    return float(np.mean(errors))


def calibration_interval(said: Said, truth: Labels, generator: np.random.Generator) -> Interval | None:
    """The 95 % interval of the equal-mass error, by the basic bootstrap, cut to 0 … 1.

    Resampled errors are biased upwards from the plain one as it is from the truth. Mirrored about it they
    lose that bias: the interval is around the debiased error and can lie below the plain one.
    """
    num_examples = len(truth)
    if num_examples < 2:
        return None
    confidence = said.probabilities.max(axis=1)
    place, gap = _mass_bins(confidence), is_right(said, truth) - confidence
    table = np.zeros((num_examples, NUM_BINS))
    table[np.arange(num_examples), place] = gap
    drawn = generator.multinomial(num_examples, np.full(num_examples, 1 / num_examples), NUM_RESAMPLES)
    errors = np.abs(drawn @ table).sum(axis=1) / num_examples
    plain = np.abs(table.sum(axis=0)).sum() / num_examples
    low, high = 2 * plain - np.quantile(errors, [0.975, 0.025])
    return Interval(float(np.clip(low, 0, 1)), float(np.clip(high, 0, 1)), 0.95, "basic bootstrap")


def binned_error(confidence: Column, truth: Column, place: Places) -> float:
    """The mean over examples' bins of |mean confidence - share of truths|."""
    return float(np.abs(np.bincount(place, truth - confidence)).sum() / len(truth))


def width_bins(confidence: Column) -> Places:
    """The bin of equal width of each example: bin k holds (k / 15, (k + 1) / 15], and the first one 0."""
    return np.clip(np.ceil(confidence * NUM_BINS).astype(np.int64) - 1, 0, NUM_BINS - 1)


def _mass_bins(confidence: Column) -> Places:
    return equal_mass_bins(confidence, np.ones(len(confidence)), NUM_BINS)


def _folded_mean(mean: Column, deviation: Column) -> Column:
    """The mean of |x| for a normal x; |mean| without deviation."""
    from scipy.special import ndtr

    safe = np.where(deviation > 0, deviation, 1.0)
    density = np.sqrt(2 / np.pi) * safe * np.exp(-(mean**2) / (2 * safe**2))
    folded = density + mean * (1 - 2 * ndtr(-mean / safe))
    return np.where(deviation > 0, folded, np.abs(mean))


CALIBRATION = (
    Measure(
        "ece",
        equal_mass_error,
        False,
        "mean over 15 bins of equally many examples, from unsure to sure, of the distance of mean confidence "
        "from accuracy; biased upwards on few examples",
        spread=calibration_interval,
    ),
    Measure(
        "ece_equal_width",
        equal_width_error,
        False,
        "the same with 15 bins of equal width, as most papers have it",
    ),
    Measure(
        "ece_debiased",
        debiased_error,
        False,
        "ece less the bias that noise within bins is seen to give it, which is a part of all bias",
    ),
    Measure(
        "classwise_ece",
        class_wise_error,
        False,
        "mean over classes of the calibration error of each class's own probability, bins of equal width",
    ),
)
