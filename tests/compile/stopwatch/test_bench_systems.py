"""Systems under test: addresses, functions, commands and models answer, and what fails says so."""

import io
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from pomona.compile.stopwatch.library import Library, from_file, made_up
from pomona.compile.stopwatch.settings import BenchSettings
from pomona.compile.stopwatch.systems.encoding import Bodies, decoded
from pomona.compile.stopwatch.systems.open import open_subjects, outside_system
from pomona.compile.stopwatch.systems.subject import Subject, parse, parse_all
from pomona.foundation.errors import DataError, InputError, SettingError
from pomona.tasks.options import DataOptions

ROWS = Library({"x": np.arange(12, dtype=np.float32).reshape(4, 3)}, 4, "four rows")
DOUBLES = """
import json, sys
def double(line):
    return json.dumps({"outputs": {"y": [[2 * v for v in row] for row in json.loads(line)["inputs"]["x"]]}})
"""
ONCE = DOUBLES + "print(double(sys.stdin.readline()))"
LINES = DOUBLES + "for line in sys.stdin: print(double(line), flush=True)"


@pytest.fixture
def server():
    """An address that doubles what it is sent, and its notes: connections, bodies, and what to answer."""
    notes = {"connections": set(), "status": 200, "closes": False}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            notes["connections"].add(self.client_address)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Type"] == "application/json":
                answer = json.dumps({"y": (2 * np.array(json.loads(body)["inputs"]["x"])).tolist()}).encode()
            else:
                content = io.BytesIO()
                np.save(content, 2 * np.load(io.BytesIO(body)))
                answer = content.getvalue()
            self.send_response(notes["status"])
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            self.close_connection = notes["closes"]

        def log_message(self, *_):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    notes["url"] = f"http://127.0.0.1:{httpd.server_address[1]}/predict?v=1"
    notes["stop"] = lambda: (httpd.shutdown(), httpd.server_close())
    yield notes
    notes["stop"]()


def connect(subject, **settings):
    system = outside_system(subject, BenchSettings(timeout_s=5, **settings), ROWS, ("y",))
    assert system.library.num_loaded == 4
    return system.connect()


def doubled(connection, places=(2, 0)):
    samples = np.array(places)
    outputs = connection.outputs(connection.answer(samples))
    np.testing.assert_allclose(outputs["y"], 2 * ROWS.arrays["x"][samples])


@pytest.mark.parametrize("form", ["json", "npy"])
def test_an_address_keeps_its_connection(server, form):
    connection = connect(Subject("address", server["url"]), send=form)
    for places in ([0], [3], [1, 2]):
        doubled(connection, places)
    connection.close()
    assert len(server["connections"]) == 1


def test_a_connection_that_the_server_closes_is_opened_again(server):
    server["closes"] = True
    connection = connect(Subject("address", server["url"]))
    for _ in range(3):
        doubled(connection)
    connection.close()
    assert len(server["connections"]) == 3


def test_an_address_that_answers_with_errors_or_not_at_all_says_so(server):
    connection = connect(Subject("address", server["url"]))
    server["status"] = 500
    with pytest.raises(DataError, match="the server answers 500"):
        connection.answer(np.array([0]))
    server["status"] = 200
    doubled(connection)
    server["stop"]()
    connection.close()
    with pytest.raises(OSError, match="refused"):
        connection.answer(np.array([0]))


def test_a_command_answers_once_a_query_or_line_by_line():
    for code, lines in ((ONCE, False), (LINES, True)):
        connection = connect(Subject("command", "python", (sys.executable, "-c", code)), lines=lines)
        doubled(connection)
        connection.close()


@pytest.mark.parametrize(
    ("code", "lines", "says"),
    [
        ("import sys; sys.exit('no weights')", False, "ended with 1: no weights"),
        ("pass", True, "has ended"),
        ("import sys; sys.stdin.readline(); print('half', end='', flush=True)", True, "has ended"),
    ],
)
def test_a_command_that_fails_says_so(code, lines, says):
    connection = connect(Subject("command", "python", (sys.executable, "-c", code)), lines=lines)
    with pytest.raises(DataError, match=says):
        connection.answer(np.array([0]))
    connection.close()


def test_a_command_that_says_nothing_is_not_waited_for():
    subject = Subject("command", "python", (sys.executable, "-c", "import time; time.sleep(60)"))
    for lines, says in ((False, "took more than"), (True, "no line within")):
        system = outside_system(subject, BenchSettings(timeout_s=0.2, lines=lines), ROWS, ("y",))
        connection = system.connect()
        with pytest.raises(DataError, match=says):
            connection.answer(np.array([0]))
        connection.close()


def test_a_function_gets_a_batch_or_the_numbers_of_samples(tmp_path, monkeypatch):
    (tmp_path / "bench_own.py").write_text(
        "def f(batch): return 2 * batch['x']\ndef g(samples): return samples\n"
    )
    monkeypatch.chdir(tmp_path)
    doubled(connect(Subject("function", "bench_own:f")))
    opened = open_subjects([parse(("bench_own:g",))], BenchSettings(), DataOptions(), seed=0)
    assert opened.systems[0].connect().answer(np.array([5, 7])).tolist() == [5, 7]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("https://example.org/x",), "address"),
        (("numpy:linalg.norm",), "function"),
        (("python -c 'print(1)'",), "command"),
        (("python", "-c", "print(1)"), "command"),
    ],
)
def test_what_is_measured_is_told_from_its_words(words, kind):
    assert parse(words).kind == kind


def test_several_subjects_are_several_and_a_commands_words_are_one():
    assert [one.kind for one in parse_all(("numpy:sum", "http://x/y"))] == ["function", "address"]
    assert [one.kind for one in parse_all(("python", "numpy:sum"))] == ["command"]
    assert [one.kind for one in parse_all(("numpy:sum",))] == ["function"]


def test_a_command_keeps_its_words_together():
    assert parse(("python -c 'print(1)'",)).words == ("python", "-c", "print(1)")
    assert parse(("python", "-c", "print( 1 )")).words == ("python", "-c", "print( 1 )")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "wants what to measure"),
        (("nothing.onnx",), "no such file"),
        (("http:///x",), "is no address"),
        (("no-such-thing",), "no program is called"),
        (("python 'half",), "cannot be split"),
        (("/",), "no artifact"),
    ],
)
def test_what_cannot_be_measured_is_refused(words, says):
    with pytest.raises(InputError, match=says):
        parse(words)


@pytest.mark.parametrize(
    ("text", "says"),
    [("no_module_x:f", "cannot be imported"), ("numpy:nope", "has no 'nope'"), ("numpy:pi", "is float")],
)
def test_a_function_that_is_none_is_refused(text, says):
    with pytest.raises(SettingError, match=says):
        outside_system(parse((text,)), BenchSettings(), ROWS, ("y",))


def test_answers_are_read_in_each_form():
    assert decoded(b"[[1, 2]]", ("y",))["y"].tolist() == [[1, 2]]
    assert decoded(b'{"y": [1], "z": [2]}', ("z",))["z"].tolist() == [2]
    for body, heads in (
        (b"<html>", ("y",)),
        (b'{"z": [1]}', ("y",)),
        (b"[1]", ("y", "z")),
        (b'{"y": "a"}', ("y",)),
    ):
        with pytest.raises(DataError, match="the answer"):
            decoded(body, heads)


def test_large_queries_are_not_all_kept_in_memory(monkeypatch):
    monkeypatch.setattr("pomona.compile.stopwatch.systems.encoding.KEPT_BYTES", 80)
    bodies = Bodies(ROWS)
    assert 1 <= bodies.num_kept < 4
    assert json.loads(bodies.of(np.array([3]))) == {"inputs": {"x": [[9.0, 10.0, 11.0]]}}
    with pytest.raises(SettingError, match="npy sends one array"):
        Bodies(Library({"x": np.ones(2), "y": np.ones(2)}, 2, ""), "npy")


def test_inputs_are_made_up_only_where_shapes_are_known():
    shapes = {"x": ((None, 3, 4), np.dtype("float32")), "ids": ((1, 5), np.dtype("int64"))}
    found = made_up(shapes, "m.onnx", seed=0)
    assert {name: array.shape[1:] for name, array in found.arrays.items()} == {"x": (3, 4), "ids": (5,)}
    with pytest.raises(DataError, match=r"free axes besides the first .*--inputs"):
        made_up({"x": ((None, 3, None), np.dtype("float32"))}, "m.onnx", seed=0)


def test_samples_take_the_names_of_the_model():
    assert set(ROWS.renamed({"input": ((None, 3), np.dtype("float32"))}).arrays) == {"input"}
    assert ROWS.renamed({"x": ((None, 3), np.dtype("float64"))}).arrays["x"].dtype == np.float64
    with pytest.raises(DataError, match="is 4 a sample, the data has"):
        ROWS.renamed({"x": ((None, 4), np.dtype("float32"))})
    with pytest.raises(DataError, match="the model reads a, b"):
        ROWS.renamed({"a": ((None, 3), np.dtype("float32")), "b": ((None, 3), np.dtype("float32"))})


def test_inputs_come_from_a_file(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.ones((5, 2)), b=np.ones(5))
    np.save(tmp_path / "x.npy", np.ones((7, 2)))
    (tmp_path / "x.txt").write_text("no")
    np.savez(tmp_path / "uneven.npz", a=np.ones(5), b=np.ones(4))
    assert from_file(tmp_path / "x.npz").size == 5
    assert from_file(tmp_path / "x.npy").size == 7
    for name in ("x.txt", "none.npz", "uneven.npz"):
        with pytest.raises(DataError):
            from_file(tmp_path / name)
