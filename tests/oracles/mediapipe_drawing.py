"""Records MediaPipe's names, connections, styles and drawings: `python mediapipe_drawing.py PHOTO OUT.npz`.

Run in the environment of benchmarks/peers/mediapipe.txt, PHOTO is opencv-samples/messi5.jpg. Landmarks are
those of the photo at complexity 1; they are drawn on plain grey, so that the pictures stay small.
"""

import sys

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.python.solutions import face_mesh_connections

holistic = mp.solutions.holistic
utils, styles = mp.solutions.drawing_utils, mp.solutions.drawing_styles
PLACE = ("x", "y", "z")


def main() -> None:
    """Finds, draws and writes one file."""
    photo = cv2.cvtColor(cv2.imread(sys.argv[1]), cv2.COLOR_BGR2RGB)
    with holistic.Holistic(static_image_mode=True) as solution:
        found = solution.process(photo)
    arrays = {f"edges_{name}": np.array(sorted(edges), np.int16) for name, edges in connections().items()}
    for name, enum in (("pose", holistic.PoseLandmark), ("hand", holistic.HandLandmark)):
        arrays[f"names_{name}"] = np.array([landmark.name for landmark in enum])
    for part in ("pose", "left_hand", "right_hand", "face", "pose_world"):
        fields = (*PLACE, "visibility") if part.startswith("pose") else PLACE
        points = getattr(found, f"{part}_landmarks").landmark
        arrays[f"points_{part}"] = np.array(
            [[getattr(p, field) for field in fields] for p in points], np.float32
        )
    arrays["text"] = np.array(str(found.pose_landmarks.landmark[0]))
    arrays["drawn_plain"], arrays["drawn_styled"] = drawn_plain(photo, found), drawn_styled(photo, found)
    np.savez_compressed(sys.argv[2], **arrays)


def connections() -> dict[str, frozenset]:
    """Every set of connections that the holistic solution or the face mesh names."""
    names = [name for name in dir(face_mesh_connections) if name.startswith("FACEMESH_")]
    sets = {name: getattr(face_mesh_connections, name) for name in names}
    return sets | {name: getattr(holistic, name) for name in ("POSE_CONNECTIONS", "HAND_CONNECTIONS")}


def drawn_plain(photo: np.ndarray, found: object) -> np.ndarray:
    """Pose and left hand with the defaults."""
    picture = np.full_like(photo, 128)
    utils.draw_landmarks(picture, found.pose_landmarks, holistic.POSE_CONNECTIONS)
    utils.draw_landmarks(picture, found.left_hand_landmarks, holistic.HAND_CONNECTIONS)
    return picture


def drawn_styled(photo: np.ndarray, found: object) -> np.ndarray:
    """All parts with the default styles."""
    picture = np.full_like(photo, 128)
    for edges, style in (
        (holistic.FACEMESH_TESSELATION, styles.get_default_face_mesh_tesselation_style()),
        (holistic.FACEMESH_CONTOURS, styles.get_default_face_mesh_contours_style()),
        (face_mesh_connections.FACEMESH_NOSE, styles.get_default_face_mesh_contours_style(1)),
    ):
        utils.draw_landmarks(picture, found.face_landmarks, edges, None, style)
    utils.draw_landmarks(
        picture, found.pose_landmarks, holistic.POSE_CONNECTIONS, styles.get_default_pose_landmarks_style()
    )
    for hand in (found.left_hand_landmarks, found.right_hand_landmarks):
        look = styles.get_default_hand_landmarks_style(), styles.get_default_hand_connections_style()
        utils.draw_landmarks(picture, hand, holistic.HAND_CONNECTIONS, *look)
    return picture


if __name__ == "__main__":
    main()
