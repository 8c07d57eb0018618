"""Records MediaPipe's refined face landmarks: `python attention_mesh.py ASSETS_FOLDER attention_mesh.npz`.

Run in the environment of benchmarks/peers/mediapipe.txt. MediaPipe's face landmark stage gets pictures of
192 x 192 and the whole picture as the region, so that nothing is resampled: the answer is the model's alone.
Arrays NAME and NAME_turned (the picture turned by a quarter): (478, 3) in units of the picture; absent where
MediaPipe says that there is no face.
"""

import sys
from pathlib import Path

import numpy as np
from google.protobuf import text_format
from holistic_frames import FACES, STILLS, read_still, square
from mediapipe.framework import calculator_pb2
from mediapipe.framework.formats import rect_pb2
from mediapipe.python.solution_base import SolutionBase

GRAPH = """
input_stream: "image"
input_stream: "region"
input_side_packet: "with_attention"
output_stream: "landmarks"
node {
  calculator: "FaceLandmarkCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:region"
  input_side_packet: "WITH_ATTENTION:with_attention"
  output_stream: "LANDMARKS:landmarks"
}
"""


def main() -> None:
    """Runs all faces and writes one file."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    graph = text_format.Parse(GRAPH, calculator_pb2.CalculatorGraphConfig())
    stage = SolutionBase(graph_config=graph, side_inputs={"with_attention": True}, outputs=["landmarks"])
    whole = rect_pb2.NormalizedRect(x_center=0.5, y_center=0.5, width=1, height=1, rotation=0)
    arrays = {}
    for still in STILLS:
        if still.name in FACES:
            picture = square(read_still(folder, still), *FACES[still.name], 192)
            for name, image in ((still.name, picture), (f"{still.name}_turned", np.rot90(picture))):
                found = stage.process({"image": np.ascontiguousarray(image), "region": whole}).landmarks
                if found is not None:
                    rows = [(point.x, point.y, point.z) for point in found.landmark]
                    arrays[name] = np.array(rows, np.float32)
    np.savez_compressed(out, **arrays)
    print(f"{out}: {', '.join(arrays)}, {out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
