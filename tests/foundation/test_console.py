import io

import pytest

from pomona.foundation.console import Console


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_nothing_is_printed_when_not_a_terminal(capsys):
    console = Console()
    with console.progress("training", 3) as bar:
        bar.advance()
    assert bar.done == 1
    assert capsys.readouterr() == ("", "")


def test_quiet_prints_nothing_at_all(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr", Terminal())
    console = Console(quiet=True)
    console.line("remark")
    with console.progress("training", 3):
        pass
    import sys

    assert sys.stderr.getvalue() == ""


@pytest.mark.parametrize("total", [3, None])
def test_bars_nest_on_one_display_of_a_terminal(monkeypatch, total):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    console = Console()
    with console.progress("outer", total, "trials") as outer:
        with console.progress("inner", 2) as inner:
            inner.advance(2, "loss 0.5")
            console.line("a remark")
        outer.advance()
    console.line("after")
    shown = terminal.getvalue()
    assert "a remark" in shown
    assert "outer" in shown
    assert shown.endswith("after\n")
