"""The page in a real browser, before a fake camera that plays a sample video."""

import base64
import io
import json
import os
import re
import struct
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
from live_browser import CHROMIUM, Browser
from websockets.sync.client import connect

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

NUM_KEPT = 8

PERSON = (195, 10, 265, 175)
"""Left, top, right and bottom of the man in the clip, at 640 × 360, as he was seen by eye."""

# keeps what goes over the WebSocket, so that it can be looked at from outside
TAP = f"""
window.tap = {{ frames: [], results: [] }};
const character = (byte) => String.fromCharCode(byte);
const text = (buffer) => btoa(Array.from(new Uint8Array(buffer), character).join(""));
const keep = (list, buffer) => list.length < {NUM_KEPT} && list.push(text(buffer));
window.WebSocket = class extends WebSocket {{
  constructor(...words) {{
    super(...words);
    this.addEventListener("message", ({{ data }}) => data.byteLength && keep(window.tap.results, data));
  }}
  send(data) {{
    if (data.byteLength) keep(window.tap.frames, data);
    super.send(data);
  }}
}};
"""

RESULT = "import('/main.js').then(({ live }) => live.result)"

# how much of what is drawn lies where the landmarks of the newest result are, and how many of them are hit
DRAWN = """
import("/main.js").then(async ({ live }) => {
  // a result that came after the last painting is not on the canvas yet
  for (let result = null; result !== live.result;) {
    const number = live.drawn;
    result = live.result;
    while (live.drawn === number) await new Promise(requestAnimationFrame);
  }
  const canvas = document.getElementById("overlay");
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const place = ({ data, columns }, row) => [
    data[row * columns] * canvas.width / live.result.width,
    data[row * columns + 1] * canvas.height / live.result.height,
  ];
  const person = live.result.people[0];
  const hit = [];
  for (let row = 11; row < 33; row += 1) {
    if (person.pose.data[row * person.pose.columns + 3] < 0.5) continue;
    if (row > 16 && row < 23 && (row % 2 ? person.left_hand : person.right_hand)) continue;
    const [x, y] = place(person.pose, row).map(Math.round);
    hit.push(pixels[4 * (y * canvas.width + x) + 3] > 0);
  }
  const [x, y] = [[], []];
  for (const part of [person.pose, person.face, person.left_hand, person.right_hand].filter(Boolean)) {
    for (let row = 0; row * part.columns < part.data.length; row += 1) {
      const [column, line] = place(part, row);
      if (Number.isNaN(column)) continue;
      x.push(column);
      y.push(line);
    }
  }
  const box = [Math.min(...x) - 20, Math.min(...y) - 20, Math.max(...x) + 20, Math.max(...y) + 20];
  const [inside, all] = [[], []];
  for (let i = 3; i < pixels.length; i += 4) {
    if (!pixels[i]) continue;
    const [column, row] = [(i >> 2) % canvas.width, Math.floor((i >> 2) / canvas.width)];
    all.push(1);
    if (column > box[0] && row > box[1] && column < box[2] && row < box[3]) inside.push(1);
  }
  const video = document.getElementById("video").getBoundingClientRect();
  const shown = canvas.getBoundingClientRect();
  return { points: hit.length, hit: hit.filter(Boolean).length, inside: inside.length, all: all.length,
           centred: Math.abs(shown.left + shown.right - video.left - video.right) < 2
                 && Math.abs(shown.top + shown.bottom - video.top - video.bottom) < 2,
           aspect: shown.width / shown.height };
})
"""


@pytest.fixture
def browse(tmp_path):
    browsers = []

    def open_browser(address, *, before="", **options):
        browser = Browser(tmp_path / f"profile-{len(browsers)}", **options)
        browsers.append(browser)
        browser.open(address, before=before)
        return browser

    yield open_browser
    for browser in browsers:
        browser.close()


@pytest.fixture
def pomona_live():
    """The real server, as a user starts it; gives its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pomona", "live", "--port", "0", "--seconds", "120"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "POMONA_THREADS": "1"},
    )
    try:
        while not (found := re.search(r"live at (\S+)", line := process.stderr.readline())):
            assert line, "the server does not start"
        yield found[1]
    finally:
        process.kill()
        process.communicate()


def is_live(browser):
    return browser.until("document.getElementById('status')?.dataset.state === 'live'")


def start(browser):
    is_live(browser)
    browser.click("#start")
    browser.until(f"{RESULT}.then((result) => result?.people.length)")


def unpack(message):
    size = struct.unpack_from("<I", message, 4)[0]
    facts = json.loads(message[8 : 8 + size])
    if not facts["people"]:
        return facts, None
    offset, rows, columns = facts["people"][0]["pose"]
    pose = np.frombuffer(message, np.float32, rows * columns, 8 + size + offset).reshape(rows, columns)
    return facts, pose


def test_landmarks_are_drawn_over_the_person_before_the_camera(pomona_live, browse, clip):
    from pomona.perceive.holistic.holistic import Holistic

    browser = browse(pomona_live, camera=clip, before=TAP)
    start(browser)
    tap = browser.until(f"tap.results.length === {NUM_KEPT} && tap")
    frames = [base64.b64decode(content) for content in tap["frames"]]
    results = [unpack(base64.b64decode(content)) for content in tap["results"]]

    # the same frames give the same landmarks without browser and server
    with Holistic(threads=1) as holistic:
        for frame, (facts, pose) in zip(frames, results, strict=True):
            number, time_s = struct.unpack_from("<Id", frame, 4)
            assert (facts["frame"], facts["width"], facts["height"]) == (number, 640, 360)
            seen = holistic.process(pixels(frame[16:]), time_s)
            assert len(seen) == len(facts["people"])
            if pose is not None:
                np.testing.assert_allclose(seen.people[0].pose, pose, atol=0.01)

    found = [pose for _, pose in results if pose is not None]
    assert len(found) > NUM_KEPT / 2
    for pose in found:
        x, y = np.median(pose[pose[:, 3] > 0.5, :2], axis=0)
        assert PERSON[0] < x < PERSON[2]
        assert PERSON[1] < y < PERSON[3]

    drawn = browser.run(DRAWN)
    assert drawn["points"] >= 10
    assert drawn["hit"] == drawn["points"]
    assert drawn["inside"] >= 0.99 * drawn["all"] > 100
    assert drawn["centred"]
    assert drawn["aspect"] == pytest.approx(16 / 9, abs=0.02)
    assert browser.console == []


def pixels(jpeg):
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(jpeg)))


def test_settings_recording_and_view_do_what_they_say(serve, browse, clip):
    address = f"http://127.0.0.1:{serve()}/"
    browser = browse(address, camera=clip)
    start(browser)
    assert browser.text("#status") == "Live"
    assert browser.run(f"{RESULT}.then((result) => 'mask' in result.people[0])") is False
    browser.click("[name=mask]")
    browser.until(f"{RESULT}.then((result) => 'mask' in result.people[0])")

    # settings that the server cannot have: it says why, and the switch goes back
    browser.click("[name=irises]")
    browser.until("document.getElementById('note').textContent.includes('irises cannot be had')")
    assert browser.run("document.querySelector('[name=irises]').checked") is False
    assert browser.run("document.querySelector('[name=mask]').checked") is True

    browser.click("#record")
    browser.until(
        "/recording · ([5-9]|[1-9]\\d+) frames/.test(document.getElementById('record-text').textContent)"
    )
    browser.click("#record")
    link = browser.until(
        "!document.getElementById('download').hidden && document.getElementById('download').href"
    )
    with urllib.request.urlopen(link, timeout=20) as reply:
        assert reply.read(4) == b"PAR1"

    assert browser.run("document.getElementById('picture').classList.contains('mirrored')") is True
    browser.click("[name=mirror]")
    assert browser.run("getComputedStyle(document.getElementById('video')).transform") == "none"
    browser.until("document.getElementById('rate').textContent > 0")
    assert "total" in browser.text("#stages")

    resources = browser.run("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert resources
    assert all(name.startswith(address) for name in resources)

    browser.click("#stop")
    assert browser.run("document.getElementById('message').hidden") is False
    assert browser.console == []


def test_a_lost_connection_is_said_and_mended(serve, browse, clip):
    port = serve()
    browser = browse(f"http://127.0.0.1:{port}/", camera=clip)
    start(browser)
    browser.click("[name=mask]")
    browser.until(f"{RESULT}.then((result) => 'mask' in result.people[0])")
    serve.stop()
    browser.until("document.getElementById('status').dataset.state === 'wrong'")
    assert "Connection lost" in browser.text("#status")
    number = browser.run("import('/main.js').then(({ live }) => live.number)")
    serve(port=port)
    is_live(browser)
    # pictures are sent again, and the new connection was told of the mask
    browser.until(f"import('/main.js').then(({{ live }}) => live.result.frame > {number} + 2)")
    browser.until(f"{RESULT}.then((result) => 'mask' in result.people[0])")


def test_a_page_that_rests_wakes_with_its_camera(serve, browse, clip):
    browser = browse(f"http://127.0.0.1:{serve(idle_s=0.3)}/", camera=clip)
    browser.until("document.getElementById('status')?.textContent.startsWith('Asleep')")
    browser.click("#start")
    browser.until("document.getElementById('status').textContent === 'Live'")
    browser.until(f"{RESULT}.then((result) => result?.people.length)")


def test_a_video_file_takes_the_place_of_the_camera(serve, browse, video):
    browser = browse(f"http://127.0.0.1:{serve()}/")
    is_live(browser)
    root = browser.call("DOM.getDocument")["root"]["nodeId"]
    node = browser.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
    browser.call("DOM.setFileInputFiles", nodeId=node, files=[str(video)])
    browser.until(f"{RESULT}.then((result) => result?.people.length)")
    assert browser.run("document.getElementById('picture').classList.contains('mirrored')") is False
    assert browser.console == []


def test_no_camera_is_said_in_words(serve, browse):
    browser = browse(f"http://127.0.0.1:{serve()}/")
    is_live(browser)
    browser.click("#start")
    browser.until("document.getElementById('message-title').textContent === 'No camera found'")


def test_a_camera_that_is_not_allowed_is_said_in_words(serve, browse, clip):
    address = f"http://127.0.0.1:{serve()}/"
    browser = browse(address, camera=clip, allow=False)
    browser.call(
        "Browser.setPermission", permission={"name": "camera"}, setting="denied", origin=address.rstrip("/")
    )
    is_live(browser)
    browser.click("#start")
    browser.until("document.getElementById('message-title').textContent === 'The camera is not allowed'")


def test_elsewhere_the_page_asks_for_the_token_and_explains_https(serve, browse, clip):
    port = serve(token="right-token")
    browser = browse(f"http://camera.example:{port}/", camera=clip, hosts="camera.example")
    browser.until("document.getElementById('token-form')?.hidden === false")
    browser.run("document.getElementById('token').value = 'wrong'")
    browser.click("#token-form button")
    browser.until("document.getElementById('message-title').textContent === 'The token is wrong'")
    browser.run("document.getElementById('token').value = 'right-token'")
    browser.click("#token-form button")
    is_live(browser)
    browser.click("#start")
    title = "document.getElementById('message-title').textContent"
    browser.until(f"{title} === 'This address may not use a camera'")

    # the token of an address is taken, and not shown any longer
    browser.open("about:blank")
    browser.run("1")
    browser.open(f"http://127.0.0.1:{port}/#token=right-token")
    is_live(browser)
    assert browser.run("location.hash") == ""


def test_a_busy_server_is_said_in_words(serve, browse):
    port = serve()
    with (
        connect(f"ws://127.0.0.1:{port}/live", proxy=None),
        connect(f"ws://127.0.0.1:{port}/live", proxy=None),
    ):
        browser = browse(f"http://127.0.0.1:{port}/")
        browser.until("document.getElementById('note')?.textContent.includes('places are taken')")


@pytest.mark.parametrize("width", [380, 700, 1280])
def test_the_page_fits_screens_of_every_width(serve, browse, width):
    browser = browse(f"http://127.0.0.1:{serve()}/")
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False
    )
    is_live(browser)
    assert browser.run("document.documentElement.scrollWidth") <= width
    unlabelled = """[...document.querySelectorAll("button, input, select, a")].filter((element) =>
      !(element.textContent.trim() || element.labels?.[0]?.textContent.trim() || element.ariaLabel)).length"""
    assert browser.run(unlabelled) == 0
