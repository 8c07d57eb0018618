"""MediaPipe's old Holistic: the same calls and the same shape of results, without MediaPipe.

    from pomona.perceive import mediapipe_compat as mp_holistic
    from pomona.perceive.mediapipe_compat import drawing_utils as mp_drawing

in place of `mp.solutions.holistic` and `mp.solutions.drawing_utils`; the rest of a program stays as it is.
"""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "FACEMESH_CONTOURS": "connections",
        "FACEMESH_FACE_OVAL": "connections",
        "FACEMESH_IRISES": "connections",
        "FACEMESH_LEFT_EYE": "connections",
        "FACEMESH_LEFT_EYEBROW": "connections",
        "FACEMESH_LEFT_IRIS": "connections",
        "FACEMESH_LIPS": "connections",
        "FACEMESH_NOSE": "connections",
        "FACEMESH_RIGHT_EYE": "connections",
        "FACEMESH_RIGHT_EYEBROW": "connections",
        "FACEMESH_RIGHT_IRIS": "connections",
        "FACEMESH_TESSELATION": "connections",
        "HAND_CONNECTIONS": "connections",
        "HandLandmark": "connections",
        "Holistic": "holistic",
        "Landmark": "landmark_lists",
        "LandmarkList": "landmark_lists",
        "NormalizedLandmark": "landmark_lists",
        "NormalizedLandmarkList": "landmark_lists",
        "POSE_CONNECTIONS": "connections",
        "PoseLandmark": "connections",
        "SolutionOutputs": "holistic",
        "drawing_styles": "drawing_styles",
        "drawing_utils": "drawing_utils",
    },
)
