"""A command: one process a query, or one process that answers each line with a line."""

import os
import select
import subprocess
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from pomona.compile.stopwatch.systems.encoding import Bodies, decoded
from pomona.foundation.errors import DataError


class OncePerQuery:
    """Starts the command for each query, with one line of JSON as its standard input."""

    def __init__(self, words: Sequence[str], bodies: Bodies, heads: Sequence[str], *, timeout_s: float):
        self._words, self._bodies, self._heads, self._timeout_s = list(words), bodies, heads, timeout_s

    def answer(self, samples: Int[np.ndarray, " sample"]) -> bytes:
        """What the command printed. Raises DataError when it failed or took too long."""
        try:
            done = subprocess.run(
                self._words,
                input=self._bodies.of(samples) + b"\n",
                capture_output=True,
                timeout=self._timeout_s,
            )
        except subprocess.TimeoutExpired:
            raise DataError(f"the command took more than {self._timeout_s:g} s") from None
        except BrokenPipeError:
            raise DataError("the command ended before it read its query") from None
        if done.returncode:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise DataError(f"the command ended with {done.returncode}{': ' if last else ''}{''.join(last)}")
        return done.stdout

    def outputs(self, answer: bytes) -> Mapping[str, np.ndarray]:
        """Head → output of the JSON that was printed."""
        return decoded(answer, self._heads)

    def close(self) -> None:
        """Nothing is to be done."""


class LineByLine:
    """Starts the command once; each query is a line of JSON to it, each line from it an answer."""

    def __init__(self, words: Sequence[str], bodies: Bodies, heads: Sequence[str], *, timeout_s: float):
        self._bodies, self._heads, self._timeout_s = bodies, heads, timeout_s
        self._process = subprocess.Popen(
            list(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )

    def answer(self, samples: Int[np.ndarray, " sample"]) -> bytes:
        """The line that came back. Raises DataError when the command has ended or takes too long."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(self._bodies.of(samples) + b"\n")
        except OSError:
            raise DataError("the command has ended") from None
        return self._line()

    def outputs(self, answer: bytes) -> Mapping[str, np.ndarray]:
        """Head → output of the JSON in the line."""
        return decoded(answer, self._heads)

    def close(self) -> None:
        """Ends the process: its input first, then itself."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(2)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        line, descriptor = b"", self._process.stdout.fileno()
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([descriptor], [], [], self._timeout_s)
            part = os.read(descriptor, 1 << 20) if ready else b""
            if not part:
                # an answer that comes too late would be taken for that of the next query
                self._process.kill()
                raise DataError("the command has ended" if ready else f"no line within {self._timeout_s:g} s")
            line += part
        return line
