"""A stand-in for Holistic that needs no models: it finds the one bright spot of a dark picture.

Run as a program it serves the real application with it, on a free port that it prints.
"""

import json
import sys
import time
from dataclasses import replace

import numpy as np

from pomona.foundation.errors import SettingError
from pomona.perceive.holistic.record import HolisticRecord, Observation
from pomona.perceive.holistic.settings import HolisticSettings

WORK_S = {0: 0.0, 1: 0.005, 2: 0.1}


class BrightSpot:
    """Its pose has all 33 points at the middle of the bright spot; complexity says how long it takes."""

    def __init__(self, settings: HolisticSettings):
        if settings.irises:
            raise SettingError("the model of the irises cannot be had")
        self.settings = settings
        self.seen = 0
        self.num_resets = 0
        self.is_closed = False

    def process(self, image, time_s):
        assert not self.is_closed
        time.sleep(WORK_S[self.settings.complexity])
        height, width = image.shape[:2]
        frame, self.seen = self.seen, self.seen + 1
        rows, columns = np.nonzero(image[..., 1] > 128)
        people = ()
        if len(rows):
            pose = np.ones((33, 5), np.float32)
            pose[:, 0], pose[:, 1] = columns.mean(), rows.mean()
            mask = np.where(image[..., 1] > 128, 255, 0).astype(np.uint8) if self.settings.mask else None
            people = (HolisticRecord(0, frame, time_s, width, height, pose=pose, mask=mask),)
        return Observation(frame, time_s, width, height, people, image, {"spot": 1.0})

    def reset(self):
        self.num_resets += 1

    def close(self):
        self.is_closed = True


def serve(port: int, token: str, limits: dict) -> None:
    import uvicorn

    from pomona.web.live.app import make_app
    from pomona.web.live.command import open_port, server_config
    from pomona.web.live.house import House
    from pomona.web.live.settings import Limits, LiveSettings

    settings = LiveSettings(port=port, clients=2)
    limits = replace(Limits(), **limits)
    house = House(
        settings,
        HolisticSettings(complexity=1),
        make_holistic=BrightSpot,  # pyright: ignore
        token=token or None,
        limits=limits,
    )
    listener = open_port(settings)
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(server_config(make_app(house), settings, limits)).run([listener])


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
