"""The models that a holistic pipeline runs, loaded when they are first needed."""

from pomona.foundation.assets import fetch
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.perceive.model import Model, load_model
from pomona.perceive.refine import AttentionMesh

POSES = ("lite", "full", "heavy")


def pose_detector() -> Model:
    """Finds people in a frame."""
    return load_model("mediapipe/pose_detection.tflite", low=-1, border="zero")


def pose_landmarks(settings: HolisticSettings, threads: int = 1) -> Model:
    """Reads a body's landmarks."""
    return load_model(pose_asset(settings), threads=threads)


def pose_asset(settings: HolisticSettings) -> str:
    """The asset with the pose model of the wanted complexity."""
    return f"mediapipe-pose/pose_landmark_{POSES[settings.complexity]}.tflite"


def hand_recrop() -> Model:
    """Finds the hand in a rough crop."""
    return load_model("mediapipe/hand_recrop.tflite")


def hand_landmarks(settings: HolisticSettings) -> Model:
    """Reads a hand's landmarks."""
    return load_model(f"mediapipe/hand_landmark_{settings.hand_model}.tflite")


def palm_detector(settings: HolisticSettings) -> Model:
    """Finds palms."""
    return load_model(f"mediapipe/palm_detection_{settings.hand_model}.tflite", border="zero")


def near_faces() -> Model:
    """Finds faces that fill a good part of the crop."""
    return load_model("mediapipe/face_detection_short_range.tflite", low=-1, border="zero")


def far_faces() -> Model:
    """Finds faces up to five metres away."""
    return load_model("mediapipe/face_detection_full_range_sparse.tflite", low=-1, border="zero")


def face_landmarks() -> Model:
    """Reads a face's 468 landmarks."""
    return load_model("mediapipe/face_landmark.tflite")


def refined_face_landmarks() -> AttentionMesh:
    """Reads a face's 468 landmarks, eyes and lips from close up, and its irises."""
    return AttentionMesh(fetch("mediapipe/face_landmark_with_attention.tflite"))
