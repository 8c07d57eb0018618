"""What the page draws between which landmarks."""

from typing import Any

from pomona.perceive.holistic.landmarks import (
    FACE_CONTOURS,
    HAND_CONNECTIONS,
    HAND_NAMES,
    POSE_CONNECTIONS,
    POSE_NAMES,
    face_mesh_edges,
)


def skeleton() -> dict[str, Any]:
    """Names and joins of all landmarks, as plain data; joins are pairs of indices into a part's rows."""
    return {
        "pose": {"names": POSE_NAMES, "edges": POSE_CONNECTIONS},
        "hand": {"names": HAND_NAMES, "edges": HAND_CONNECTIONS},
        "face": {"contours": FACE_CONTOURS, "mesh": face_mesh_edges().tolist()},
    }
