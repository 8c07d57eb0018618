"""Energy from counters that wrap, where there are any."""

from pomona.compile.stopwatch.energy import counters, joules, read_uj


def test_packages_are_read_and_their_counters_may_wrap(tmp_path):
    for name, value in (("intel-rapl:0", 900), ("intel-rapl:0:0", 5), ("intel-rapl:1", 10)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(f"{value}\n")
        (tmp_path / name / "max_energy_range_uj").write_text("1000\n")
    found = counters(tmp_path)
    assert [counter.path.parent.name for counter in found] == ["intel-rapl:0", "intel-rapl:1"]
    before = read_uj(found)
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("100")
    (tmp_path / "intel-rapl:1" / "energy_uj").write_text("60")
    assert joules(found, before, read_uj(found)) == 250 / 1e6


def test_without_counters_there_is_no_number(tmp_path):
    (tmp_path / "intel-rapl:0").mkdir()
    assert counters(tmp_path) == []
    assert joules([], [], []) is None
