"""The graph of a holistic pipeline: the pose leads to hands and face, which do not wait for each other."""

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


def holistic_graph(settings: HolisticSettings) -> Graph:
    """The graph from a frame to its `records`; its stages hold the loaded models.

    `time_s` is what the records say, `clock_s` what is smoothed by; `threads` may work on one pose.
    """
    follow_people = PeopleFollower(settings).follow
    timed = {"image": "image", "time_s": "clock_s", "threads": "threads"}
    pose = Stage("pose", follow_people, timed, {"people": tuple}, state=PeopleState)
    looked_for = _parts(settings)
    found = tuple(edge for stage in looked_for for edge in stage.outputs)

    def put_together(**values: Any) -> dict[str, tuple]:
        return {"records": assemble(settings, **values)}

    records = Stage(
        "records", put_together, ("image", "people", "frame", "time_s", *found), {"records": tuple}
    )
    inputs = {"image": np.ndarray, "time_s": float, "clock_s": float, "frame": int, "threads": int}
    return Graph(inputs, (pose, *looked_for, records), outputs=("records",))


def _parts(settings: HolisticSettings) -> list[Stage]:
    stages = []
    following = {"image": "image", "time_s": "clock_s", "people": "people"}
    if "hands" in settings.parts:
        for side in ("left", "right"):
            follow = HandFollower(settings, side).follow
            stages.append(Stage(f"{side}_hand", follow, following, {f"{side}_hands": Mapping}, state=dict))
    if "face" in settings.parts:
        stages.append(Stage("face", FaceFollower(settings).follow, following, {"faces": Mapping}, state=dict))
    if settings.mask:
        paint = MaskPainter(settings).paint
        stages.append(Stage("mask", paint, ("image", "people"), {"masks": Mapping}, state=dict))
    return stages
