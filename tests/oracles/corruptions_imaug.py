"""Records what imagecorruptions-imaug 1.1.5 makes of a picture: `python corruptions_imaug.py FILE.npz`.

    pip install imagecorruptions-imaug==1.1.5

Corruptions without chance are kept as pictures. Of the others four numbers are kept, over DRAWS pictures
each: the mean level, its deviation, the mean absolute change, and how alike the changes of neighbours are.
"""

import importlib.resources
import sys

import cv2
import numpy as np
from imagecorruptions import corrupt, corruptions

SIZE = (84, 97)
DRAWS = 24
CERTAIN = (
    "defocus_blur",
    "zoom_blur",
    "gaussian_blur",
    "brightness",
    "contrast",
    "saturate",
    "pixelate",
    "jpeg_compression",
)
RANDOM = (
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "speckle_noise",
    "glass_blur",
    "motion_blur",
    "snow",
    "frost",
    "fog",
    "spatter",
    "elastic_transform",
)
ANGLES = (-40.0, 10.0, 33.0)


def picture() -> np.ndarray:
    """Waves, a disk, a bar and some grain, in colour, with black and white in it."""
    rows, columns = np.indices(SIZE) / max(SIZE)
    waves = [np.sin(9 * rows + k) * np.cos(7 * columns - 2 * k) for k in range(3)]
    image = 0.5 + 0.35 * np.stack(waves, axis=-1)
    image[(rows - 0.4) ** 2 + (columns - 0.5) ** 2 < 0.03] = (0.9, 0.2, 0.1)
    image[:, 70:76] = 0.0
    image[60:64] = 1.0
    image += 0.03 * np.random.default_rng(0).standard_normal(image.shape)
    return np.clip(image * 255, 0, 255).round().astype(np.uint8)


def numbers(before: np.ndarray, after: np.ndarray) -> list[float]:
    change = after.astype(float) / 255 - before / 255
    centred = change - change.mean()
    alike = (centred[:, 1:] * centred[:, :-1]).mean() / max((centred**2).mean(), 1e-12)
    return [after.mean() / 255, after.std() / 255, np.abs(change).mean(), alike]


def frost_moments() -> list[float]:
    folder = importlib.resources.files("imagecorruptions") / "frost"
    photographs = [cv2.imread(str(path))[..., ::-1] / 255 for path in sorted(folder.iterdir(), key=str)]
    means = np.mean([photograph.mean((0, 1)) for photograph in photographs], axis=0)
    return [*means, np.mean([photograph.std() for photograph in photographs])]


def main() -> None:
    """Corrupts the picture in every way and writes the file."""
    image = picture()
    np.random.seed(0)  # noqa: NPY002 - the peer draws from NumPy's global generator
    kept = {"picture": image, "photographs": np.array(frost_moments())}
    for name in CERTAIN:
        kept[name] = np.stack([corrupt(image, corruption_name=name, severity=s) for s in (1, 3, 5)])
    for name in RANDOM:
        drawn = [
            [numbers(image, corrupt(image, corruption_name=name, severity=s)) for _ in range(DRAWS)]
            for s in range(1, 6)
        ]
        kept[name] = np.mean(drawn, axis=1)
        kept[f"{name}_error"] = np.std(drawn, axis=1) / np.sqrt(DRAWS)
    blurred = [corruptions._motion_blur(image, radius=15, sigma=8, angle=angle) for angle in ANGLES]
    kept["motion"] = np.round(blurred).astype(np.uint8)
    kept["angles"] = np.array(ANGLES)
    np.savez_compressed(sys.argv[1], **kept)


if __name__ == "__main__":
    main()
