"""One pipeline behind a pipe, so that two environments see the same pixels in turn.

    python benchmarks/holistic_server.py pomona|mediapipe

Started by holistic_peer.py by that environment's Python. A request is a line of JSON (`do` and arguments),
then the bytes of a frame where it has a shape; the answer is a line of JSON, then the bytes of its arrays.
Landmarks are answered in pixels. Times are taken around the pipeline's own call: the pipe is not in them.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

FIELDS = ("pose", "pose_world", "left_hand", "right_hand", "face", "mask")


class MediaPipe:
    """MediaPipe's Holistic; it has no clock but its own and no answer before the frame is done."""

    def __init__(self, options: dict):
        from mediapipe.python.solutions.holistic import Holistic

        names = {
            "still": "static_image_mode",
            "complexity": "model_complexity",
            "irises": "refine_face_landmarks",
            "mask": "enable_segmentation",
        }
        self._holistic = Holistic(**{names[name]: value for name, value in options.items() if name in names})

    def process(self, image: np.ndarray, time_s: float) -> object:
        return self._holistic.process(image)

    def run(self, frames: list[np.ndarray]) -> Iterator[object]:
        return (self._holistic.process(image) for image in frames)

    def close(self) -> None:
        self._holistic.close()

    def arrays(self, results: object, image: np.ndarray) -> list[dict[str, np.ndarray]]:
        height, width = image.shape[:2]
        person = {}
        for name in FIELDS[:-1]:
            landmarks = getattr(
                results, f"{name}_landmarks" if name != "pose_world" else "pose_world_landmarks"
            )
            if landmarks is not None:
                scale = (1, 1, 1) if name == "pose_world" else (width, height, width)
                rows = [(p.x, p.y, p.z, p.visibility) for p in landmarks.landmark]
                person[name] = np.array(rows, np.float32) * np.array([*scale, 1], np.float32)
        mask = getattr(results, "segmentation_mask", None)
        if mask is not None:
            person["mask"] = np.round(mask * 255).astype(np.uint8)
        return [person] if person else []


class Pomona:
    """Ours."""

    def __init__(self, options: dict):
        from pomona.perceive import Holistic

        self._holistic = Holistic(**options)
        self._frame = 0

    def process(self, image: np.ndarray, time_s: float) -> object:
        return self._holistic.process(image, time_s)

    def run(self, frames: list[np.ndarray]) -> Iterator[object]:
        from pomona.perceive.video import VideoFrame

        first, self._frame = self._frame, self._frame + len(frames)
        numbered = enumerate(frames, first)
        return self._holistic.run(VideoFrame(number, number / 30, image) for number, image in numbered)

    def close(self) -> None:
        self._holistic.close()

    def arrays(self, observation: object, image: np.ndarray) -> list[dict[str, np.ndarray]]:
        people = []
        for record in observation:
            found = {name: getattr(record, name) for name in FIELDS}
            people.append({name: array for name, array in found.items() if array is not None})
        return people


ENGINES = {"mediapipe": MediaPipe, "pomona": Pomona}


class Session:
    """What is open, and the answers to requests."""

    def __init__(self, engine: str):
        self._make: Callable = ENGINES[engine]
        self._pipeline = None
        self._frames: list[np.ndarray] = []
        self._invoked = [0.0]

    def open(self, image: None, options: dict) -> tuple[dict, list]:
        """A fresh pipeline."""
        if self._pipeline:
            self._pipeline.close()
        self._pipeline = self._make(options)
        return {}, []

    def frame(self, image: np.ndarray, time_s: float) -> tuple[dict, list]:
        """One frame now."""
        wall, cpu = time.perf_counter(), time.process_time()
        results = self._pipeline.process(image, time_s)
        spent = {"ms": 1e3 * (time.perf_counter() - wall), "cpu_ms": 1e3 * (time.process_time() - cpu)}
        return spent, self._pipeline.arrays(results, image)

    def load(self, image: np.ndarray | None, clear: bool = False) -> tuple[dict, list]:
        """Keeps a frame for `clip`."""
        if clear:
            self._frames = []
        if image is not None:
            self._frames.append(image)
        return {}, []

    def clip(self, image: None, turns: int = 1) -> tuple[dict, list]:
        """All kept frames in order, as fast as they go; some at once where the pipeline does that."""
        invoked = self._invoked[0]
        wall, cpu, count = time.perf_counter(), time.process_time(), 0
        for _ in self._pipeline.run(self._frames * turns):
            count += 1
        return {
            "frames": count,
            "ms": 1e3 * (time.perf_counter() - wall),
            "cpu_ms": 1e3 * (time.process_time() - cpu),
            "model_cpu_ms": 1e3 * (self._invoked[0] - invoked),
        }, []

    def count_models(self, image: None) -> tuple[dict, list]:
        """From now on adds up the processor time inside LiteRT; right where each model has one thread."""
        from ai_edge_litert.interpreter import Interpreter

        plain = Interpreter.invoke

        def timed(interpreter: Interpreter) -> None:
            started = time.thread_time()
            plain(interpreter)
            self._invoked[0] += time.thread_time() - started

        Interpreter.invoke = timed
        return {}, []

    def status(self, image: None) -> tuple[dict, list]:
        """The memory of this process and its threads."""
        lines = Path("/proc/self/status").read_text().splitlines()
        rows = dict(line.split(":", 1) for line in lines)
        sizes = {"rss_mb": "VmRSS", "peak_mb": "VmHWM"}
        found = {name: int(rows[key].split()[0]) / 1024 for name, key in sizes.items()}
        return {**found, "threads": int(rows["Threads"])}, []


def main() -> None:
    """Answers requests until the pipe closes."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get between the answers
    session = Session(sys.argv[1])
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        shape = request.pop("shape", None)
        image = None
        if shape:
            content = sys.stdin.buffer.read(int(np.prod(shape)))
            image = np.frombuffer(content, np.uint8).reshape(shape)
        numbers, people = getattr(session, request.pop("do"))(image, **request)
        arrays = [np.ascontiguousarray(array) for person in people for array in person.values()]
        names = [
            [index, name, str(array.dtype), array.shape]
            for index, person in enumerate(people)
            for name, array in person.items()
        ]
        out.write(json.dumps({**numbers, "people": len(people), "arrays": names}).encode() + b"\n")
        for array in arrays:
            out.write(array.tobytes())
        out.flush()


if __name__ == "__main__":
    main()
