"""The graph of a holistic pipeline: the pose leads to both hands and the face, which do not wait for each other."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pomona.perceive.graph import Graph, Stage
from pomona.perceive.holistic.assemble import assemble
from pomona.perceive.holistic.faces import FaceFollower
from pomona.perceive.holistic.hands import HandFollower
from pomona.perceive.holistic.masks import MaskPainter
from pomona.perceive.holistic.people import PeopleFollower, PeopleState
from pomona.perceive.holistic.settings import HolisticSettings


def holistic_graph(settings: HolisticSettings, *, pose_threads: int = 1) -> Graph:
    """The graph from `image`, `time_s` and `frame` to `records`; its stages hold the loaded models."""
    stages = [
        Stage(
            "pose",
            PeopleFollower(settings, threads=pose_threads).follow,
            inputs=("image", "time_s"),
            outputs={"people": tuple},
            state=PeopleState,
        )
    ]
    seen = ("image", "time_s", "people")
    missing: dict[str, Any] = {"left_hands": {}, "right_hands": {}, "faces": {}, "masks": {}}
    if "hands" in settings.parts:
        for side in ("left", "right"):
            follower = HandFollower(settings, side)
            stages.append(
                Stage(
                    f"{side}_hand",
                    follower.follow,
                    inputs=seen,
                    outputs={f"{side}_hands": Mapping},
                    state=dict,
                )
            )
            del missing[f"{side}_hands"]
    if "face" in settings.parts:
        stages.append(
            Stage("face", FaceFollower(settings).follow, inputs=seen, outputs={"faces": Mapping}, state=dict)
        )
        del missing["faces"]
    if settings.mask:
        painter = MaskPainter(settings)
        stages.append(
            Stage("mask", painter.paint, inputs=("image", "people"), outputs={"masks": Mapping}, state=dict)
        )
        del missing["masks"]
    given = ("image", "people", "frame", "time_s")
    parts = tuple(name for name in ("left_hands", "right_hands", "faces", "masks") if name not in missing)

    def records(**values: Any) -> dict[str, tuple]:
        return {"records": assemble(settings, **values, **missing)}

    stages.append(Stage("records", records, inputs=given + parts, outputs={"records": tuple}))
    return Graph(
        inputs={"image": np.ndarray, "time_s": float, "frame": int},
        stages=tuple(stages),
        outputs=("records",),
    )
