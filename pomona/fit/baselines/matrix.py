"""All inputs of a task as one matrix, a row an example: what classical methods learn from."""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float
from scipy import sparse

from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature, mask_key
from pomona.tasks.task import Task

Matrix = np.ndarray | sparse.csr_matrix

MAX_NUMBERS = 4096
"""Larger images and series are averaged down to this many numbers."""
MAX_COLUMNS = 256
"""More columns are turned into so many principal components: distances stay, time does not."""
MAX_TERMS = 50_000
"""Tokens and pairs of tokens that are counted, the most frequent ones."""


def has_tokens(task: Task) -> bool:
    """Whether an input is text, of which the matrix is sparse."""
    return any(feature.kind == "tokens" for feature in task.inputs.values())


def fit_matrix(task: Task, train: Batch, seed: int) -> Callable[[Batch], Matrix]:
    """The function from a batch to its matrix, dense or with text sparse, fitted on training examples.

    Images and series are flattened, waveforms become log-mel statistics, tokens TF-IDF of single ones and
    pairs. Columns of vectors and statistics are standardised, images and series by one scale.
    """
    blocks = [_fit_block(feature, train) for feature in task.inputs.values() if feature.kind != "tokens"]
    texts = [_fit_text(feature, train) for feature in task.inputs.values() if feature.kind == "tokens"]
    reduce = _fit_components(_side_by_side(blocks, train), seed) if blocks else None

    def matrix(batch: Batch) -> Matrix:
        dense = None if reduce is None else reduce(_side_by_side(blocks, batch))
        if not texts:
            assert dense is not None
            return dense
        counted = [text(batch) for text in texts]
        parts = counted if dense is None else [sparse.csr_matrix(dense), *counted]
        return sparse.csr_matrix(sparse.hstack(parts))

    return matrix


def num_rows(matrix: Matrix) -> int:
    """How many examples a matrix is of."""
    return np.shape(matrix)[0] if isinstance(matrix, np.ndarray) else matrix.get_shape()[0]


def _fit_block(feature: Feature, train: Batch) -> Callable[[Batch], np.ndarray]:
    values = _numbers(feature, train)
    if feature.kind in ("image", "series"):
        # one scale: pixels at the edge that hardly vary must not become as loud as the others
        center, scale = values.mean(axis=0), max(float(values.std()), 1e-6)
    else:
        center, deviation = values.mean(axis=0), values.std(axis=0)
        scale = np.where(deviation > 1e-6, deviation, 1.0)
    return lambda batch: ((_numbers(feature, batch) - center) / scale).astype(np.float32)


def _numbers(feature: Feature, batch: Mapping[str, np.ndarray]) -> Float[np.ndarray, "batch column"]:
    values = batch[feature.name]
    if feature.kind == "audio":
        return _loudness(feature, values)
    if feature.kind == "image":
        values = _smaller_image(values)
    if feature.kind == "series":
        values = _with_statistics(values, batch.get(mask_key(feature.name)))
    if feature.kind == "category" and feature.classes:
        values = np.eye(len(feature.classes), dtype=np.float32)[values]
    return values.reshape(len(values), -1).astype(np.float32)


def _smaller_image(
    images: Float[np.ndarray, "batch channel height width"],
) -> Float[np.ndarray, "batch channel lower narrower"]:
    num, channels, height, width = images.shape
    factor = min(int(np.ceil(np.sqrt(channels * height * width / MAX_NUMBERS))), height, width)
    cut = images[:, :, : height // factor * factor, : width // factor * factor]
    parts = cut.reshape(num, channels, height // factor, factor, width // factor, factor)
    return parts.mean(axis=(3, 5))


def _with_statistics(
    series: Float[np.ndarray, "batch time feature"], mask: np.ndarray | None
) -> Float[np.ndarray, "batch column"]:
    real = np.ones(series.shape[:2], bool) if mask is None else mask
    count = np.maximum(real.sum(axis=1), 1)[:, None]
    kept = series * real[..., None]
    mean = kept.sum(axis=1) / count
    deviation = np.sqrt((((series - mean[:, None]) * real[..., None]) ** 2).sum(axis=1) / count)
    step = max(1, -(-series[0].size // MAX_NUMBERS))
    edges = np.arange(0, series.shape[1], step)
    coarse = np.add.reduceat(kept, edges, axis=1) / np.diff(np.append(edges, series.shape[1]))[:, None]
    return np.concatenate([coarse.reshape(len(series), -1), mean, deviation], axis=1)


def _loudness(
    feature: Feature, waves: Float[np.ndarray, "batch sample"]
) -> Float[np.ndarray, "batch column"]:
    """The mean of each of 40 mel bands in eight parts of the sound, and its deviation over all of it."""
    import torch

    from pomona.nn.mel import LogMel

    rate = feature.rate or 16_000
    mel = LogMel(int(rate), num_bands=40, window=round(0.025 * rate), hop=round(0.01 * rate))
    parts = []
    with torch.inference_mode():
        for start in range(0, len(waves), 64):
            parts.append(mel(torch.from_numpy(waves[start : start + 64].astype(np.float32))).numpy())
    bands = np.concatenate(parts)
    eighths = [part.mean(axis=1) for part in np.array_split(bands, min(8, bands.shape[1]), axis=1)]
    return np.concatenate([*eighths, bands.std(axis=1)], axis=1)


def _fit_text(feature: Feature, train: Batch) -> Callable[[Batch], sparse.csr_matrix]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        token_pattern=r"\S+", ngram_range=(1, 2), sublinear_tf=True, max_features=MAX_TERMS
    )

    def texts(batch: Mapping[str, np.ndarray]) -> list[str]:
        ids = batch[feature.name]
        real = batch.get(mask_key(feature.name), ids != 0)
        return [" ".join(map(str, row[kept])) for row, kept in zip(ids, real, strict=True)]

    vectorizer.fit(texts(train))
    return lambda batch: sparse.csr_matrix(vectorizer.transform(texts(batch)))


def _fit_components(
    values: Float[np.ndarray, "batch column"], seed: int
) -> Callable[[np.ndarray], np.ndarray]:
    if values.shape[1] <= MAX_COLUMNS or len(values) <= MAX_COLUMNS:
        return lambda given: given
    from sklearn.decomposition import PCA

    components = PCA(MAX_COLUMNS, svd_solver="randomized", random_state=seed).fit(values)
    return components.transform


def _side_by_side(blocks: list[Callable[[Batch], np.ndarray]], batch: Batch) -> np.ndarray:
    return np.concatenate([block(batch) for block in blocks], axis=1)
