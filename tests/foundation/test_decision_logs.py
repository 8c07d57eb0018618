"""Logs of decisions that several processes write, one each."""

from pomona.foundation.decisions import Decisions


def test_decisions_of_other_logs_count_as_made_and_the_first_log_wins(tmp_path):
    for name, value in (("a", 1), ("b", 2)):
        log = Decisions(tmp_path / name)
        log.decide("kind", "both", lambda value=value: value)
        log.decide("kind", name, lambda value=value: value)
    joined = Decisions(tmp_path / "own", known=[tmp_path / "a", tmp_path / "b", tmp_path / "absent"])
    assert joined.decide("kind", "both", lambda: 3) == 1
    assert joined.decide("kind", "b", lambda: 3) == 2
    assert ("kind", "a") in joined
    assert ("kind", "c") not in joined
    assert not (tmp_path / "own").exists(), "what others decided is not logged again"


def test_a_line_that_another_process_is_writing_is_left_alone(tmp_path):
    path = tmp_path / "other"
    Decisions(path).decide("kind", "whole", lambda: 1)
    with open(path, "a") as file:
        file.write('{"kind": "ki')
    before = path.read_bytes()
    joined = Decisions(tmp_path / "own", known=[path])
    assert ("kind", "whole") in joined
    assert path.read_bytes() == before
