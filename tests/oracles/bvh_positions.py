"""Records where bvhio 1.5.4 (PyPI) puts the joints of a BVH file: `python bvh_positions.py IN.bvh OUT.npz`.

IN.bvh is what write_bvh makes of tests/perceive/landmark_samples.py's `dancer`:
`write_bvh(dancer(frames=12), "IN.bvh")`. The text is kept too, so that the test can tell a change of
the writer from one of its meaning.
"""

import sys
from pathlib import Path

import bvhio
import numpy as np


def main() -> None:
    """Reads, places every joint at every frame, and writes one file."""
    text = Path(sys.argv[1]).read_text()
    root = bvhio.readAsHierarchy(sys.argv[1])
    frames = int(text.split("Frames:")[1].split()[0])
    names = [joint.Name for joint, _, _ in root.layout()]
    positions = []
    for frame in range(frames):
        root.loadPose(frame)
        positions.append([list(joint.PositionWorld) for joint, _, _ in root.layout()])
    np.savez_compressed(
        sys.argv[2], text=np.array(text), names=np.array(names), positions=np.array(positions)
    )


if __name__ == "__main__":
    main()
