"""An HTTP address that answers to POST: JSON {"inputs": {name: rows}}, or the bytes of an npy file."""

import http.client
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import numpy as np
from jaxtyping import Int

from pomona.compile.stopwatch.systems.encoding import Bodies, decoded
from pomona.foundation.errors import DataError

TYPES = {"json": "application/json", "npy": "application/octet-stream"}


class Address:
    """One connection, kept open between queries; it is opened again where the server closes it."""

    def __init__(self, url: str, bodies: Bodies, form: str, heads: Sequence[str], *, timeout_s: float):
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._bodies, self._heads = bodies, heads
        self._headers = {"Content-Type": TYPES[form], "Accept": TYPES[form]}

    def answer(self, samples: Int[np.ndarray, " sample"]) -> bytes:
        """The body of the response. Raises DataError for a status that is not 2xx, OSError for none."""
        body = self._bodies.of(samples)
        try:
            return self._post(body)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            # a server may close a connection that was idle; a dead one refuses the next
            self._connection.close()
            return self._post(body)

    def outputs(self, answer: bytes) -> Mapping[str, np.ndarray]:
        """Head → output, from JSON or npy bytes."""
        return decoded(answer, self._heads)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def _post(self, body: bytes) -> bytes:
        try:
            self._connection.request("POST", self._path, body, self._headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        if not 200 <= response.status < 300:
            raise DataError(f"the server answers {response.status} {response.reason}")
        return content
