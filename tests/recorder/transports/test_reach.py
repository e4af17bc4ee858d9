"""How an engine is reached: proxies from plan and environment, TLS files, sockets; and what a mistake says."""

from pathlib import Path
from typing import Any

import pytest

from racelog.errors import PlanError
from racelog_recorder.plan.file import parse_plan
from racelog_recorder.plan.flags import plan_from_flags
from racelog_recorder.plan.model import EnginePlan
from racelog_recorder.plan.public import public_plan
from racelog_recorder.transports.pump.tls import TlsFiles
from racelog_recorder.transports.reach import NO_PROXY, Reach, proxy_for, transport_of
from tests.recorder.transports.pump.harness import Certificates

ENGINE = "https://api.example.com/v1"
PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        (ENGINE, {}, ""),
        (ENGINE, {"HTTPS_PROXY": PROXY}, PROXY),
        (ENGINE, {"https_proxy": PROXY, "HTTPS_PROXY": "http://other.example:1"}, PROXY),
        (ENGINE, {"ALL_PROXY": PROXY}, PROXY),
        (ENGINE, {"HTTPS_PROXY": "proxy.example:3128"}, PROXY),
        (ENGINE, {"HTTP_PROXY": PROXY}, ""),
        (ENGINE, {"HTTPS_PROXY": ""}, ""),
        (ENGINE, {"HTTPS_PROXY": PROXY, "NO_PROXY": "example.com"}, ""),
        (ENGINE, {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, ""),
        ("http://10.0.0.7:8000/v1", {"HTTP_PROXY": PROXY}, PROXY),
        ("http://localhost:8000/v1", {"HTTP_PROXY": PROXY}, ""),
        ("http://127.0.0.1:8000/v1", {"HTTP_PROXY": PROXY}, ""),
        ("http://[::1]:8000/v1", {"HTTP_PROXY": PROXY}, ""),
        ("http://localhost.example:8000/v1", {"HTTP_PROXY": PROXY}, PROXY),
    ],
)
def test_the_environments_proxy(url: str, environ: dict[str, str], proxy: str) -> None:
    assert proxy_for(url, Reach(), environ) == proxy


@pytest.mark.parametrize(
    ("reach", "transport"),
    [
        (Reach(), "httpx"),
        (Reach(proxy=NO_PROXY), "pump"),
        (Reach(proxy=PROXY), "httpx"),
        (Reach(http2=True, proxy=NO_PROXY), "httpx"),
        (Reach(unix_socket="/run/engine.sock"), "pump"),
    ],
)
def test_which_transport_that_takes(reach: Reach, transport: str) -> None:
    assert transport_of(ENGINE, reach, {"HTTPS_PROXY": PROXY}) == transport


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: Any) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls"))


def engine(text: str, folder: Path) -> EnginePlan:
    """Return the only engine of a plan in which it has these fields."""
    plan = parse_plan("engines:\n  - name: a\n" + text, "race.yaml", folder)
    return plan.engines[0]


def test_files_lie_beside_the_plan(certificates: Certificates) -> None:
    folder = Path(certificates.ca).parent
    text = f"    url: {ENGINE}\n    tls: {{ca: ca.pem, cert: client.pem}}\n"

    assert engine(text, folder).reach.tls == TlsFiles(ca=certificates.ca, cert=certificates.client)


def test_a_socket_lies_beside_the_plan_unless_its_path_is_whole(tmp_path: Path) -> None:
    text = "    url: http://localhost/v1\n    unix_socket: {}\n"

    assert engine(text.format("engine.sock"), tmp_path).reach.unix_socket == str(tmp_path / "engine.sock")
    assert engine(text.format("/run/engine.sock"), tmp_path).reach.unix_socket == "/run/engine.sock"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"tls": "{ca: none.pem}"}, "race.yaml:4: engines[0].tls.ca: cannot read "),
        ({"tls": "{ca: race.txt}"}, "race.yaml:4: engines[0].tls: the files cannot be used ("),
        (
            {"tls": "{keys: a.pem}"},
            "race.yaml:4: engines[0].tls: 'keys' is unknown; known are ca, cert, key, verify",
        ),
        ({"tls": "{key: a.pem}"}, "race.yaml:4: engines[0].tls: key without cert; give the certificate"),
        ({"tls": "{verify: 'no'}"}, "race.yaml:4: engines[0].tls: verify: 'no' is neither true nor false"),
        (
            {"tls": "yes.pem"},
            "race.yaml:4: engines[0].tls: 'yes.pem' is not a mapping; give any of ca, cert, key, verify",
        ),
        (
            {"proxy": "proxy.example:3128"},
            "race.yaml:4: engines[0].proxy: 'proxy.example:3128' is not a proxy; give",
        ),
        ({"proxy": "socks5://a:1"}, "race.yaml:4: engines[0].proxy: 'socks5://a:1' is not a proxy; give"),
        (
            {"proxy": "http://me:hunter22@p:1"},
            "race.yaml:4: engines[0].proxy: a user or password must not stand in",
        ),
        (
            {"unix_socket": "x" * 120},
            "race.yaml:4: engines[0].unix_socket: the path is longer than 107 bytes",
        ),
        (
            {"unix_socket": "/s", "proxy": PROXY},
            "race.yaml:4: engines[0].unix_socket: goes with neither proxy nor",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, fields: dict[str, str], said: str) -> None:
    (tmp_path / "race.txt").write_text("no certificate")
    text = f"    url: {ENGINE}\n" + "".join(f"    {key}: {value}\n" for key, value in fields.items())

    with pytest.raises(PlanError) as raised:
        engine(text, tmp_path)
    assert str(raised.value).startswith(said)
    assert "hunter22" not in str(raised.value)


def test_tls_files_for_a_plain_url_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="the URL is not https://"):
        engine("    url: http://a/v1\n    tls: {verify: false}\n", tmp_path)


def test_http2_without_its_package_says_how_to_get_it(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(PlanError, match=r"pip install 'racelog\[http2\]'"):
        engine(f"    url: {ENGINE}\n    http2: true\n", tmp_path)


def test_a_flag_says_it_too() -> None:
    plan = plan_from_flags([f"a={ENGINE},proxy=none", "b=http://localhost/v1,unix_socket=/run/b.sock"])

    assert [each.reach for each in plan.engines] == [Reach(proxy=NO_PROXY), Reach(unix_socket="/run/b.sock")]


def test_the_log_knows_the_road_but_no_path_of_a_key(certificates: Certificates) -> None:
    folder = Path(certificates.ca).parent
    text = f"engines:\n  - name: a\n    url: {ENGINE}\n    proxy: {PROXY}\n    tls: {{cert: client.pem}}\n"
    (shown,) = public_plan(parse_plan(text, "race.yaml", folder))["engines"]

    assert (shown["proxy"], shown["unix_socket"], shown["http2"]) == (PROXY, "", False)
    assert shown["tls"] == {"ca": "", "cert": "client.pem", "key": "", "verify": True}
