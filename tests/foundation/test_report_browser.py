"""The report in a real browser: Chromium prints the page after its scripts have run, and its console."""

import base64
import re
import shutil
import subprocess

import numpy as np
import pytest

from pomona.foundation.report import (
    bars,
    graph,
    images,
    line,
    matrix,
    node,
    number,
    numbers,
    scatter,
    series,
    table,
    tree,
    write_report,
    write_section,
)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

# presses what a reader would press and writes what then stands on the page into the title
PROBE = """
const cells = () => [...document.querySelectorAll("tbody tr td:first-child")];
const names = () => cells().map((cell) => cell.textContent).join("");
const heading = document.querySelectorAll(".table th")[1];
const seen = [names()];
for (let click = 0; click < 2; click += 1) {
  heading.querySelector("button").click();
  seen.push(names() + heading.getAttribute("aria-sort"));
}
document.querySelector(".table th button").click();
seen.push(names());
document.querySelector("[data-tree=none]").click();
seen.push(document.querySelectorAll("details[open]").length);
document.querySelector("[data-tree=all]").click();
seen.push(document.querySelectorAll("details[open]").length);
const before = getComputedStyle(document.body).backgroundColor;
document.querySelector(".theme").click();
seen.push(getComputedStyle(document.body).backgroundColor !== before);
seen.push(document.documentElement.scrollWidth <= innerWidth);
document.title = seen.join(" ");
"""


@pytest.fixture
def report(tmp_path):
    rows = [["a", 2.0], ["b", 10.0], ["c", None], ["d", -1.0]]
    items = [
        numbers(number("accuracy", 0.98, format="percent")),
        table(["name", "score"], rows),
        line([series("a", np.arange(9), np.arange(9.0), low=np.zeros(9), high=np.full(9, 9.0))], "x", "y"),
        scatter([(1, 2, "a", "g"), (2, 3, "b", "h")], "x", "y", front=["a", "b"]),
        bars({"a": (1.0, 0.5, 1.5)}, "y"),
        matrix(["a", "b"], ["a", "b"], [[3, 1], [0, 4]], "said", "true"),
        tree([node(0, None, "a", 0.1), node(1, 0, "b", 0.2), node(2, 1, "c", 0.3)]),
        graph({"a": "a", "b": "b"}, [("a", "b")]),
        images([(PNG, "a")]),
    ]
    write_section(tmp_path, 1, "all", "All kinds", items)
    return write_report(tmp_path)


def browse(page, profile, width=1280):
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--no-first-run",
    ]
    result = subprocess.run(
        [
            CHROMIUM,
            *flags,
            f"--user-data-dir={profile}",
            f"--window-size={width},900",
            "--enable-logging=stderr",
            "--virtual-time-budget=2000",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return result.stdout, [entry for entry in result.stderr.splitlines() if "CONSOLE" in entry]


def test_the_report_opens_without_a_word_on_the_console(report, tmp_path):
    tree_of_page, console = browse(report, tmp_path / "profile")
    assert console == []
    assert 'class="scripted"' in tree_of_page


@pytest.mark.parametrize("width", [1280, 500])
def test_tables_sort_trees_fold_and_the_theme_changes(report, tmp_path, width):
    content = report.read_text(encoding="utf-8")
    # the page lets no foreign script run: the probe needs leave
    content = re.sub(r'script-src [^"]+', "script-src 'unsafe-inline'", content)
    page = tmp_path / "probed.html"
    page.write_text(content.replace("</body>", f"<script>{PROBE}</script></body>"), encoding="utf-8")
    tree_of_page, console = browse(page, tmp_path / "profile", width)
    assert console == []
    title = re.search(r"<title>(.*?)</title>", tree_of_page)
    assert title
    # the missing score stays last both ways; text sorts from a
    assert title[1] == "abcd badcdescending dabcascending abcd 0 2 true true"


def test_a_foreign_script_does_not_run(report, tmp_path):
    page = tmp_path / "attacked.html"
    content = report.read_text(encoding="utf-8")
    page.write_text(
        content.replace("</body>", "<script>document.title = 'taken'</script></body>"), encoding="utf-8"
    )
    tree_of_page, console = browse(page, tmp_path / "profile")
    assert "taken</title>" not in tree_of_page
    assert any("Content Security Policy" in entry for entry in console)
