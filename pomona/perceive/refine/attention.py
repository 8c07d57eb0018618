"""The face mesh with attention: the 468 points, eyes and lips read again from close up, and both irises.

The model holds three operations that LiteRT lacks. It is run in two halves; between them the regions of lips
and eyes are cut out of the first half's features, and behind them the found points are put back, in NumPy.
Grishchenko et al., "Attention Mesh: High-fidelity Face Mesh Prediction in Real-time" (2020).
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from pomona.export.sessions.interpreter import open_interpreter
from pomona.foundation.errors import AssetError
from pomona.perceive.crop import crop
from pomona.perceive.logistic import logistic
from pomona.perceive.refine.split import CustomOperation, custom_operations, read_model, sub_model
from pomona.perceive.region import Region

MESH_POINTS = 468
IRIS_POINTS = 5
ALL_POINTS = MESH_POINTS + 2 * IRIS_POINTS
SIDE = 192  # pixels of the crop

_LIPS, _RIGHT_EYE, _LEFT_EYE = 0, 1, 2  # the model's order of regions; sides are the person's
_SOURCES = (_LIPS, _RIGHT_EYE, _RIGHT_EYE, _LEFT_EYE, _LEFT_EYE)  # lips, eye, iris, eye, iris are found
_EYE_CONTOUR = 16  # an eye's points begin with those of its lids' edge


@dataclass(frozen=True, eq=False)
class Closeup:
    """Which points span a region, and which way is right in it."""

    points: np.ndarray
    left: int
    right: int
    size: int  # the region's features are size x size
    scale: float

    def matrix(self, mesh: Float[np.ndarray, "point 2"]) -> Float[np.ndarray, "2 3"]:
        """From places in the region, 0 to `size`, to those of the mesh.

        The box of the points, turned so that left to right is level, enlarged by `scale`.
        """
        right_x, right_y = mesh[self.right] - mesh[self.left]
        turn = math.atan2(right_y, right_x)
        axes = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
        turned = mesh[self.points] @ axes
        low, high = turned.min(axis=0), turned.max(axis=0)
        steps = axes * (self.scale / self.size * (high - low))
        centre = axes @ ((low + high) / 2)
        return np.concatenate([steps, (centre - steps.sum(axis=1) * (self.size / 2))[:, None]], axis=1)


class AttentionMesh:
    """The model, loaded. It holds buffers: run it for one face at a time."""

    def __init__(self, path: Path, *, threads: int = 1):
        model = read_model(path)
        by_name: dict[str, list[CustomOperation]] = {}
        for operation in custom_operations(model):
            by_name.setdefault(operation.name, []).append(operation)
        try:
            matrices, cuts, moves = (by_name[name] for name in OPERATIONS)
        except KeyError as error:
            raise AssetError(f"{path.name} is not the face mesh with attention: it lacks {error}") from error
        self._closeups = [_closeup(operation) for operation in matrices]
        graph = model.subgraphs[0]
        mesh, flag = _output_of_size(graph, 3 * MESH_POINTS), _output_of_size(graph, 1)
        features = cuts[0].inputs[0]
        self._stem = _Half(sub_model(model, graph.inputs, [features, mesh, flag]), threads)
        inputs = [cut.outputs[0] for cut in cuts]
        self._heads = _Half(sub_model(model, inputs, [move.inputs[0] for move in moves]), threads)

    def read(
        self, image: UInt8[np.ndarray, "height width 3"], region: Region
    ) -> tuple[Float[np.ndarray, "478 3"], float]:
        """The points of the face in a region of the frame, in the frame's pixels, and its score."""
        pixels = crop(image, region, SIDE, SIDE)
        points, score = self.run(pixels[None].astype(np.float32) * np.float32(1 / 255))
        return np.concatenate([region.project(points[:, :2]), points[:, 2:] * region.width], axis=1), score

    def run(self, pixels: Float[np.ndarray, "1 192 192 3"]) -> tuple[Float[np.ndarray, "478 3"], float]:
        """The points in units of the crop (its corners are (0, 0) and (1, 1); z as x), and the face's score.

        Pixels are 0 to 1, the score is the probability that there is a face.
        """
        features, mesh, flag = self._stem.run([pixels])
        points = np.empty((ALL_POINTS, 3))
        points[:MESH_POINTS] = mesh.reshape(MESH_POINTS, 3) / SIDE
        side = features.shape[1]
        matrices = [closeup.matrix(points[:MESH_POINTS, :2] * side) for closeup in self._closeups]
        cuts = [
            resample(features[0], matrix, closeup.size)[None]
            for matrix, closeup in zip(matrices, self._closeups, strict=True)
        ]
        finer = SIDE / side  # the heads count in pixels of the crop, the matrices in those of the features
        placed = [
            (part[0] / finer @ matrices[source][:, :2].T + matrices[source][:, 2]) / side
            for part, source in zip(self._heads.run(cuts), _SOURCES, strict=True)
        ]
        self._put_back(points, placed)
        return points, float(logistic(flag.reshape(-1)[0].astype(float)))

    def _put_back(self, points: np.ndarray, placed: list[np.ndarray]) -> None:
        """Lips and eyes take the finer x and y and keep the mesh's z; irises are as deep as their eyes."""
        lips, right_eye, right_iris, left_eye, left_iris = placed
        for closeup, part in zip(self._closeups, (lips, right_eye, left_eye), strict=True):
            points[closeup.points, :2] = part
        for number, (source, iris) in enumerate(((_RIGHT_EYE, right_iris), (_LEFT_EYE, left_iris))):
            rows = slice(MESH_POINTS + number * IRIS_POINTS, MESH_POINTS + (number + 1) * IRIS_POINTS)
            points[rows, :2] = iris
            points[rows, 2] = points[self._closeups[source].points[:_EYE_CONTOUR], 2].mean()


OPERATIONS = ("Landmarks2TransformMatrix", "TransformTensorBilinear", "TransformLandmarks")
"""Makes a region's matrix from the mesh; cuts the region out of the features; puts points back."""


def resample(
    features: Float[np.ndarray, "height width channel"], matrix: Float[np.ndarray, "2 3"], size: int
) -> Float[np.ndarray, "size size channel"]:
    """The features, bilinear, at the middles of the cells of a grid laid over them; 0 beyond their edge."""
    height, width, _ = features.shape
    middles = np.arange(size) + 0.5
    x, y = (
        matrix[axis, 0] * middles[None, :] + matrix[axis, 1] * middles[:, None] + matrix[axis, 2] - 0.5
        for axis in (0, 1)
    )
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    left = np.clip(np.floor(x).astype(int), 0, width - 2)
    top = np.clip(np.floor(y).astype(int), 0, height - 2)
    right_share = (x - left).astype(np.float32)[..., None]
    low_share = (y - top).astype(np.float32)[..., None]
    above = features[top, left] * (1 - right_share) + features[top, left + 1] * right_share
    below = features[top + 1, left] * (1 - right_share) + features[top + 1, left + 1] * right_share
    return np.where(inside[..., None], above * (1 - low_share) + below * low_share, np.float32(0))


class _Half:
    """One half of the model in LiteRT."""

    def __init__(self, content: bytes, threads: int):
        self._interpreter = open_interpreter(content, "half of the attention mesh", threads=threads)
        self._inputs = [entry["index"] for entry in self._interpreter.get_input_details()]
        self._outputs = [entry["index"] for entry in self._interpreter.get_output_details()]

    def run(self, inputs: list[np.ndarray]) -> list[np.ndarray]:
        for index, values in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(index, values)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def _closeup(operation: CustomOperation) -> Closeup:
    options = operation.options
    return Closeup(
        np.array(options["subset_idxs"]),
        options["left_rotation_idx"],
        options["right_rotation_idx"],
        options["output_width"],
        options["scale_x"],
    )


def _output_of_size(graph: Any, size: int) -> int:
    return next(int(number) for number in graph.outputs if np.prod(graph.tensors[number].shape) == size)
