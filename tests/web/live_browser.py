"""A headless Chromium with a fake camera, driven over its DevTools protocol."""

import asyncio
import base64
import contextlib
import itertools
import json
import shutil
import subprocess
import time
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-port=0",
)


class Browser:
    """One page of one browser. Everything the page says on its console is in `console`."""

    def __init__(
        self, profile: Path, *, camera: Path | None = None, allow: bool = True, size=(1280, 800), hosts=""
    ):
        flags = [*FLAGS, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}"]
        if camera is not None:
            flags += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}"]
        if camera is not None and allow:
            flags += ["--use-fake-ui-for-media-stream"]
        if hosts:
            flags += [f"--host-resolver-rules=MAP {hosts} 127.0.0.1"]
        self.console: list[str] = []
        self._numbers = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._socket = None
        self._process = subprocess.Popen(
            [CHROMIUM, *flags, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._socket = self._loop.run_until_complete(self._attach(profile / "DevToolsActivePort"))
            for domain in ("Page", "Runtime", "Log"):
                self.call(f"{domain}.enable")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def call(self, method, **parameters):
        """The answer to one command of the protocol."""
        return self._loop.run_until_complete(self._call(method, parameters))

    def open(self, address, *, before=""):
        """Goes to a page; the script `before` runs in it ahead of the page's own."""
        self.call("Page.addScriptToEvaluateOnNewDocument", source=before)
        self.call("Page.navigate", url=address)

    def run(self, script):
        """The value of an expression in the page; promises are waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, script, timeout_s=60):
        """The first true value of an expression in the page."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                value = self.run(script)
            except AssertionError as error:  # the page is not there yet
                value = None
                problem = str(error)[:300]
            else:
                problem = value
            if value:
                return value
            assert time.monotonic() < deadline, f"{script} stays {problem}; console: {self.console}"
            time.sleep(0.05)

    def click(self, selector):
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)}).textContent")

    def screenshot(self, path: Path):
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self):
        with contextlib.suppress(OSError, TimeoutError, WebSocketException):
            if self._socket is not None:
                self._loop.run_until_complete(asyncio.wait_for(self._socket.close(), 5))
        self._process.kill()
        self._process.wait(20)
        self._loop.close()

    async def _attach(self, port_file: Path):
        async with asyncio.timeout(60):
            while not (port_file.exists() and len(port_file.read_text().split()) == 2):
                assert self._process.poll() is None, "Chromium does not start"
                await asyncio.sleep(0.05)
            port, path = port_file.read_text().split()
            browser = await connect(f"ws://127.0.0.1:{port}{path}", proxy=None)
            await browser.send(json.dumps({"id": 0, "method": "Target.getTargets"}))
            targets = json.loads(await browser.recv())["result"]["targetInfos"]
            target = next(found["targetId"] for found in targets if found["type"] == "page")
            await browser.close()
            return await connect(
                f"ws://127.0.0.1:{port}/devtools/page/{target}", max_size=None, proxy=None, ping_interval=None
            )

    async def _call(self, method, parameters):
        number = next(self._numbers)
        async with asyncio.timeout(60):
            await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
            while True:
                message = json.loads(await self._socket.recv())
                self._note(message)
                if message.get("id") == number:
                    assert "error" not in message, message["error"]
                    return message["result"]

    def _note(self, message):
        if message.get("method") == "Log.entryAdded":
            self.console.append(message["params"]["entry"]["text"])
        if message.get("method") == "Runtime.exceptionThrown":
            self.console.append(str(message["params"]["exceptionDetails"])[:500])
        if message.get("method") == "Runtime.consoleAPICalled":
            self.console.append(str(message["params"]["args"])[:500])
