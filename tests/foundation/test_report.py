import base64
import io
import json
import math
import wave
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from pomona.foundation.artifact import Artifact, add_sections, write_artifact
from pomona.foundation.errors import ArtifactError, InputError, SettingError
from pomona.foundation.report import (
    audio,
    bars,
    code,
    graph,
    images,
    line,
    matrix,
    node,
    number,
    numbers,
    parallel,
    scatter,
    series,
    span,
    table,
    text,
    timeline,
    tree,
    write_report,
    write_section,
)
from pomona.foundation.report.items import ITEMS
from pomona.foundation.statistics import Interval

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ATTACK = "<script>alert('pomona')</script>\"&"
VOID = {"meta", "link", "img", "br", "hr", "input"}


def wav() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 80)
    return buffer.getvalue()


def example_items(name: str = "a name") -> dict[str, dict]:
    """One item of each kind, with `name` in every place that takes text."""
    return {
        "table": table(
            [name, ("b", "percent"), ("c", "seconds", name)], [[name, 0.5, 1.0], [None, None, 2.0]]
        ),
        "numbers": numbers(
            number(name, 0.98, format="percent", note=name, interval=(0.97, 0.99)), number("n", name)
        ),
        "line": line(
            [series(name, [1, 2], [0.5, None]), series("b", [1, 2], [1, 2], low=[0, 1], high=[2, 3])],
            name,
            name,
        ),
        "scatter": scatter([(1, 2, name, name), (3, 4, "b")], name, name, front=[name, "b"], x_log=True),
        "bars": bars({name: 0.5, "b": (-0.2, -0.3, -0.1)}, name),
        "matrix": matrix([name, "b"], [name, "c"], [[1, 2], [3, math.nan]], name, name),
        "parallel": parallel([name, "b", "c"], {name: [1, None, -2], "b": [0, 1, 2]}, name, highlight=0),
        "tree": tree([node(1, None, name, 0.9, name), node(2, 1, name, 0.91), node(3, 1, "failed", None)]),
        "graph": graph(
            {"a": (name, name), "b": "b", "c": "c"}, [("a", "b"), ("b", "c"), ("a", "c")], caption=name
        ),
        "timeline": timeline(
            [name, "b"], [span(name, 0, 2, name, group=name, is_stressed=True), span("b", 1, 1, "x")], name
        ),
        "images": images([(PNG, name, name)], caption=name),
        "audio": audio([(wav(), name, name)], caption=name),
        "text": text(f"{name}\n\n{name}"),
        "code": code(name),
    }


class Page(HTMLParser):
    """Checks that tags are nested, and keeps what tests look at."""

    def __init__(self, content: str):
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.text: dict[str, list[str]] = {}
        self.feed(content)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.text.setdefault(self.open[-1], []).append(data)

    def with_class(self, name):
        return [attributes for _, attributes in self.tags if name in (attributes.get("class") or "").split()]


def report_of(folder, *items, title="A section"):
    write_section(folder, 1, "part", title, items)
    return write_report(folder).read_text(encoding="utf-8")


def test_every_kind_has_an_example():
    assert set(example_items()) == set(ITEMS)


@pytest.mark.parametrize("kind", ITEMS)
def test_an_item_gives_well_formed_html_without_addresses(tmp_path, kind):
    content = report_of(tmp_path, example_items()[kind])
    Page(content)
    assert "http://" not in content
    assert "https://" not in content
    assert "url(" not in content
    assert "@import" not in content


@pytest.mark.parametrize("kind", ITEMS)
def test_no_text_of_an_item_becomes_html(tmp_path, kind):
    content = report_of(tmp_path, example_items(ATTACK)[kind], title=ATTACK)
    page = Page(content)
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert "alert" not in "".join(page.text["script"])
    assert ATTACK in "".join(piece for pieces in page.text.values() for piece in pieces)


def test_only_the_pages_own_script_may_run_and_nothing_may_load(tmp_path):
    page = Page(report_of(tmp_path, text("x")))
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    assert not [a for _, a in page.tags for key in a if key.startswith("on")]
    sources = [a[key] for tag, a in page.tags for key in ("src", "href") if key in a]
    assert all(source.startswith(("#", "data:")) for source in sources)


@pytest.mark.parametrize("kind", ["line", "scatter", "bars", "matrix", "graph"])
def test_a_drawing_says_what_it_shows(tmp_path, kind):
    page = Page(report_of(tmp_path, example_items("speed")[kind]))
    labels = [a["aria-label"] for tag, a in page.tags if tag == "svg" and a.get("role") == "img"]
    assert any("speed" in label for label in labels)
    assert page.text["title"][1:], "hover titles"


def test_places_on_a_chart_are_shares_of_its_axes(tmp_path):
    """y goes from 0 to 1 in ticks, x from 0 to 10: places in closed form."""
    page = Page(report_of(tmp_path, line([series("a", [0, 5, 10], [0, 0.25, 1])], "x", "y")))
    dots = [(a["cx"], a["cy"]) for a in page.with_class("dot")]
    assert dots == [("0%", "100%"), ("50%", "75%"), ("100%", "0%")]
    (stroke,) = page.with_class("stroke")
    assert stroke["d"] == "M0.0 1000.0L500.0 750.0L1000.0 0.0"


def test_a_step_line_holds_its_value_and_a_gap_breaks_a_line(tmp_path):
    steps = Page(report_of(tmp_path, line([series("a", [0, 10], [0, 1], step=True)], "x", "y")))
    assert steps.with_class("stroke")[0]["d"] == "M0.0 1000.0L1000.0 1000.0L1000.0 0.0"
    broken = Page(report_of(tmp_path, line([series("a", [0, 1, 2, 3], [0, 1, np.nan, 1])], "x", "y")))
    assert len(broken.with_class("stroke")) == 2


def test_a_logarithmic_axis_has_equal_steps_for_equal_factors(tmp_path):
    points = [(10.0**power, 1.0, str(power)) for power in range(4)]
    page = Page(report_of(tmp_path, scatter(points, "x", "y", x_log=True)))
    lefts = [float(a["cx"].rstrip("%")) for a in page.with_class("point")]
    np.testing.assert_allclose(np.diff(lefts, 2), 0, atol=0.01)


def test_bars_have_lengths_in_proportion(tmp_path):
    page = Page(report_of(tmp_path, bars({"a": 1.0, "b": 0.25, "c": None}, "score")))
    widths = [float(a["width"].rstrip("%")) for tag, a in page.tags if tag == "rect" and a["class"] == "bar"]
    assert widths == [100, 25]


def test_a_confusion_matrix_colours_hits_and_errors_apart(tmp_path):
    names = ["cat", "dog"]
    page = Page(report_of(tmp_path, matrix(names, names, [[8, 2], [0, 10]], "said", "true")))
    assert len(page.with_class("cool")) == 2
    assert [float(a["fill-opacity"]) for a in page.with_class("warm")] == [1.0, 0.0]
    assert "2 (20.0\u202f% of the row)" in "".join(page.text["title"])


def test_a_large_confusion_matrix_draws_only_what_is_there(tmp_path):
    names = [f"class {i}" for i in range(100)]
    page = Page(report_of(tmp_path, matrix(names, names, np.eye(100, dtype=int), "said", "true")))
    assert len(page.with_class("cell")) == 100


@pytest.mark.parametrize(("better", "styles"), [("higher", ["up", "down"]), ("lower", ["down", "up"])])
def test_a_tree_shows_gains_in_the_direction_that_is_better(tmp_path, better, styles):
    nodes = [node(1, None, "a", 0.5), node(2, 1, "b", 0.6), node(3, 1, "c", 0.3)]
    page = Page(report_of(tmp_path, tree(nodes, better=better)))
    shown = [a["class"].split()[1] for a in page.with_class("gain")]
    assert shown == ["none", *styles]
    text_of_spans = "".join(page.text["span"])
    assert "+0.1" in text_of_spans
    assert "−0.2" in text_of_spans


def test_a_large_tree_opens_only_the_line_to_the_best(tmp_path):
    nodes = [node(0, None, "root", 0.1)]
    nodes += [node(i, (i - 1) // 2, f"n{i}", i / 200) for i in range(1, 101)]
    page = Page(report_of(tmp_path, tree(nodes)))
    opened = [a for tag, a in page.tags if tag == "details" and "open" in a]
    # 100 → 49 → 24 → 11 → 5 → 2 → 0; the best itself has no children
    assert len(opened) == 6
    assert len(page.with_class("on-line")) == 7


def test_a_chain_of_three_hundred_generations_is_drawn(tmp_path):
    nodes = [node(i, i - 1 if i else None, f"n{i}", float(i)) for i in range(300)]
    page = Page(report_of(tmp_path, tree(nodes)))
    assert len(page.with_class("node")) == 300


def test_a_graph_puts_every_node_below_its_sources(tmp_path):
    edges = [("a", "b"), ("b", "c"), ("a", "d"), ("d", "c"), ("c", "e"), ("a", "e")]
    page = Page(report_of(tmp_path, graph({name: name for name in "abcde"}, edges)))
    rects = [a for tag, a in page.tags if tag == "rect"]
    top = {name: float(rect["y"]) for name, rect in zip("abcde", rects, strict=True)}
    assert all(top[source] < top[target] for source, target in edges)
    spans = sorted((float(r["y"]), float(r["x"]), float(r["x"]) + float(r["width"])) for r in rects)
    assert all(left[0] != right[0] or left[2] < right[1] for left, right in pairwise(spans))


def test_a_table_formats_and_sorts_by_the_plain_value(tmp_path):
    rows = [["x", 0.98765, 1234567, 0.0123, True], ["y", 0.5, 12, 90.0, None]]
    columns = ["name", ("valid", "percent"), ("size", "integer"), ("time", "seconds"), "ok"]
    page = Page(report_of(tmp_path, table(columns, rows, highlight=1)))
    cells = page.text["td"]
    assert cells[:5] == ["x", "98.77\u202f%", "1\u202f234\u202f567", "12.3\u202fms", "yes"]
    assert cells[5:] == ["y", "50.00\u202f%", "12", "1\u202fmin 30\u202fs", "–"]
    values = [a["data-value"] for tag, a in page.tags if tag == "td"]
    assert values[1] == "0.98765"
    assert values[9] == ""
    assert len(page.with_class("highlight")) == 1


def test_numbers_take_an_interval(tmp_path):
    figure = number("accuracy", 0.98, format="percent", interval=Interval(0.97, 0.99, 0.95, "wilson"))
    page = Page(report_of(tmp_path, numbers(figure)))
    assert "97.00\u202f% to 99.00\u202f%" in "".join(page.text["dd"])


def test_sections_stand_in_the_order_of_their_file_names(tmp_path):
    for order, title in ((20, "last"), (3, "first"), (10, "middle")):
        write_section(tmp_path, order, "part", title, [text("x")])
    assert Page(write_report(tmp_path).read_text()).text["h2"] == ["first", "middle", "last"]


def test_an_artifact_gives_title_facts_and_card(tmp_path):
    folder = tmp_path / "best"
    write_artifact(
        folder,
        Artifact(
            kind="network", task_name="digits", task_kind="classify", inputs={}, targets={}, card="# A card"
        ),
    )
    add_sections(folder, {"10-part": {"title": "Part", "items": [text("x")]}})
    page = Page(write_report(folder).read_text())
    assert page.text["h1"] == ["digits"]
    assert "classify" in page.text["dd"]
    assert page.text["pre"] == ["# A card"]


def test_a_given_title_and_facts_stand_on_top(tmp_path):
    write_section(tmp_path, 1, "part", "Part", [text("x")])
    page = Page(write_report(tmp_path, title="Search", facts={"seed": 0, "seconds": 1.5}).read_text())
    assert page.text["h1"] == ["Search"]
    assert page.text["dd"] == ["0", "1.5"]


def test_a_folder_without_sections_is_refused(tmp_path):
    with pytest.raises(InputError, match="no sections"):
        write_report(tmp_path)


def broken(kind, **changes):
    item = {**example_items()[kind], **changes}
    return {key: value for key, value in item.items() if value is not ...}


WRONG = [
    ({"kind": "tabel"}, r"item 1: no kind of item 'tabel'; did you mean 'table'"),
    ("text", "item 1 should be an object with a kind, got 'text'"),
    (broken("table", rows=...), r"item 1 \(table\) lacks rows"),
    (broken("table", rows=[["a"]]), r"rows\[0\] has 1 cells where columns has 3"),
    (broken("table", rows=[["a", [], 1]]), r"rows\[0\]\[1\]: a cell should be text, a number"),
    (broken("table", colour="red"), "unknown key colour; known: columns, rows, highlight, caption"),
    (broken("table", highlight=7), "highlight should be the index of one of 2 rows, got 7"),
    (
        broken("table", columns=[{"name": "a", "formt": "percent"}]),
        r"unknown key columns\[0\].formt; known: name",
    ),
    (broken("table", columns=[{"name": "a", "format": "%"}]), r"columns\[0\].format: input should be 'auto'"),
    (broken("numbers", values=[{"name": "a"}]), r"lacks values\[0\].value"),
    (broken("numbers", values=[number("a", 1, interval=(2, 1))]), r"interval should be low, high"),
    (
        broken("line", series=[{"name": "a", "x": [1], "y": ["b"]}]),
        r"series\[0\].y\[0\]: input should be a valid number",
    ),
    (broken("line", series=[series("a", [1, 2], [1])]), r"series\[0\].y has 1 values where x has 2"),
    (broken("line", series=[series("a", [1], [1], low=[0])]), "a band needs both"),
    (broken("line", series=[series("a", [0], [1])], x_log=True), "x_log cannot show"),
    (broken("scatter", front=["z"]), "front names 'z', which is no point"),
    (broken("bars", values=[{"name": "a", "value": 1, "low": 0}]), "an interval needs both"),
    (broken("parallel", lines=[{"name": "a", "values": [1]}]), r"lines\[0\] has 1 values where axes has 3"),
    (broken("parallel", highlight=2), "the index of one of 2 lines"),
    (broken("matrix", values=[[1, 2]]), "values has 1 rows where rows has 2"),
    (broken("tree", nodes=[node(1, 2, "a", 1.0), node(2, 1, "b", 1.0)]), "its own ancestor"),
    (broken("tree", nodes=[node(1, 5, "a", 1.0)]), "the parent '5', which is no node"),
    (broken("graph", edges=[["a", "b"], ["b", "a"]]), "cycle"),
    (broken("graph", edges=[["a", "q"]]), r"edges\[0\] names 'q'"),
    (broken("timeline", spans=[span("q", 0, 1, "x")]), r"spans\[0\] names the lane 'q'"),
    (broken("timeline", spans=[span("b", 2, 1, "x")]), r"spans\[0\] should be within time zero"),
    (broken("images", images=[{"png": "AAAA", "caption": "c"}]), r"images\[0\].png is not a PNG"),
    (broken("audio", clips=[{"wav": "%%", "caption": "c"}]), r"clips\[0\].wav is not a WAV"),
]


@pytest.mark.parametrize(("item", "message"), WRONG, ids=[message[:40] for _, message in WRONG])
def test_a_wrong_item_is_named_by_file_item_and_key(tmp_path, item, message):
    (tmp_path / "sections").mkdir()
    section = {"title": "t", "items": [item]}
    (tmp_path / "sections" / "05-board.json").write_text(json.dumps(section, default=list), encoding="utf-8")
    with pytest.raises(ArtifactError, match=message) as caught:
        write_report(tmp_path)
    assert str(caught.value).startswith("sections/05-board.json, item 1")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ([], "should hold one JSON object"),
        ({"items": []}, "needs a title"),
        ({"title": "t"}, "needs items"),
        ({"title": "t", "items": [], "intro": ""}, "unknown key 'intro'"),
        ({"title": "t", "items": [], "lead": 3}, "lead should be"),
    ],
)
def test_a_wrong_section_is_named_by_file(tmp_path, section, message):
    (tmp_path / "sections").mkdir()
    (tmp_path / "sections" / "x.json").write_text(json.dumps(section), encoding="utf-8")
    with pytest.raises(ArtifactError, match=rf"sections/x\.json.*{message}"):
        write_report(tmp_path)


def test_writing_a_wrong_section_leaves_no_file(tmp_path):
    with pytest.raises(ArtifactError, match=r"sections/04-part\.json, item 1 \(table\)"):
        write_section(tmp_path, 4, "part", "t", [table(["a"], [[1, 2]])])
    with pytest.raises(SettingError, match="order"):
        write_section(tmp_path, 4, "../part", "t", [text("x")])
    assert list(tmp_path.iterdir()) == []
