"""Who is let in."""

import pytest

from pomona.foundation.errors import SettingError
from pomona.web.live.access import Access
from pomona.web.live.settings import LiveSettings

LOOPBACK, OPEN = Access(), Access("secret")


@pytest.mark.parametrize("host", ["localhost", "localhost:8765", "127.0.0.1:1", "[::1]:8765", "LOCALHOST:80"])
def test_this_machine_is_let_in_under_its_own_names(host):
    assert LOOPBACK.refused_host(host) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8765",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "[::1",
        "a@b",
    ],
)
def test_a_foreign_name_for_this_machine_is_refused(host):
    """A page may point its own name at 127.0.0.1; the browser then calls it the same origin."""
    assert LOOPBACK.refused_host(host)


def test_behind_a_token_any_name_will_do():
    assert OPEN.refused_host("camera.example:8765") is None


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8765", "http://localhost:8765"),
        ("localhost:8765", None),
        ("camera.example", "https://camera.example"),
        ("camera.example:443", "https://camera.example"),
        ("[::1]:8765", "http://[::1]:8765"),
    ],
)
def test_the_own_page_may_connect(host, origin):
    assert LOOPBACK.refused_origin(host, origin) is None


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8765", "http://evil.example"),
        ("localhost:8765", "http://localhost:3000"),
        ("localhost:8765", "http://127.0.0.1:8765"),
        ("localhost:8765", "null"),
        ("localhost:8765", ""),
        ("localhost:8765", "http://localhost:8765.evil.example"),
        ("localhost:8765", "http://localhost:8765@evil.example"),
        ("localhost:8765", "http://localhost:port"),
        ("", "http://evil.example"),
    ],
)
def test_other_pages_may_not(host, origin):
    assert LOOPBACK.refused_origin(host, origin)


def test_the_token_must_be_right_where_there_is_one():
    assert LOOPBACK.refused_token("anything") is None
    assert OPEN.refused_token("secret") is None
    for wrong in ("", "secreT", "secret ", "ключ"):
        assert OPEN.refused_token(wrong)


@pytest.mark.parametrize(
    ("host", "is_loopback"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False)]
)
def test_only_this_machine_s_own_address_goes_without_a_token(host, is_loopback):
    assert LiveSettings(host=host).is_loopback == is_loopback


@pytest.mark.parametrize(
    "fields",
    [{"port": 70000}, {"clients": 0}, {"seconds": 0}, {"key": "key.pem"}, {"certificate": "missing.pem"}],
    ids=str,
)
def test_wrong_settings_are_refused(fields):
    with pytest.raises(SettingError):
        LiveSettings(**fields)
