"""Who may talk to the server, and how much."""

import pytest

from jaxreact.errors import UserError
from jaxreact.live.access import Access, Refused, is_loopback
from jaxreact.live.limits import Limits, Meter

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_the_loopback_interface_needs_no_token(host):
    assert is_loopback(host)
    Access(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_other_interfaces_need_one(host):
    with pytest.raises(UserError, match="--token"):
        Access(host)
    Access(host, token=TOKEN)


def test_a_short_token_is_none():
    with pytest.raises(UserError, match="16 characters"):
        Access("127.0.0.1", token="short")


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:80", True),
        ("localhost:80", True),
        ("[::1]:80", True),
        ("LOCALHOST", True),
        ("listener.home:443", True),
        ("listener.home.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil.example#@127.0.0.1", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_names(host, known):
    access = Access("127.0.0.1", names=("listener.home",))
    if known:
        access.check({"Host": host}, {})
    else:
        with pytest.raises(Refused):
            access.check({"Host": host}, {})


def test_a_page_must_come_from_the_very_address():
    access = Access("127.0.0.1")
    headers = {"Host": "127.0.0.1:8765"}
    access.check({**headers, "Origin": "http://127.0.0.1:8765"}, {})
    for origin in ("http://127.0.0.1:8000", "https://evil.example", "null", ""):
        with pytest.raises(Refused, match="another site"):
            access.check({**headers, "Origin": origin}, {})


def test_the_token_is_compared_whole():
    access = Access("127.0.0.1", token=TOKEN)
    headers = {"Host": "localhost"}
    access.check(headers, {"token": TOKEN})
    access.check({**headers, "Authorization": f"Bearer {TOKEN}"}, {})
    for given in ("", TOKEN[:-1], TOKEN + "0", TOKEN.upper()):
        with pytest.raises(Refused, match="token"):
            access.check(headers, {"token": given})


def test_a_meter_lets_a_burst_pass_and_then_the_rate():
    now = [0.0]
    meter = Meter(Limits(messages=10, megabytes=0.001, burst=2.0, minutes=1), lambda: now[0])
    assert not any(meter.exceeds(1) for _ in range(20))
    assert meter.exceeds(1)
    now[0] = 1.0
    assert not any(meter.exceeds(1) for _ in range(9))
    now[0] = 10.0
    assert not meter.exceeds(2000)
    assert meter.exceeds(1)
    assert meter.seconds_left == 50
