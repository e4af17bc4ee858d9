"""A URL's secrets are never shown, by whatever verb it was given to."""

from pathlib import Path

import pytest

from racelog.cli import run
from racelog.urls import public_url, without_url_secrets

URL = "https://user:S3cretPass@h.example/a.rlog?sig=S3cretSig#S3cretPart"

VERBS = {
    "info": (), "dump": (), "cat": (), "play": (), "card": (), "export": ("-f", "md"), "cut": ("--start", "0s", "-o", "x"),
    "compact": (), "recover": (), "verify": (), "serve": (), "merge": ("-o", "x"),
}  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_prints_a_secret_of_a_url(
    verb: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run([verb, URL, *VERBS[verb]]) == 2

    out, err = capfd.readouterr()
    assert "S3cret" not in out + err
    assert "https://h.example/a.rlog" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("ls", "--home", URL),
        ("info", "--home", URL),
        ("cut", "latest", "--start", "0s", "-o", URL),
        ("card", "-o", URL),
        ("info", "latest", URL),
        ("play", "--theme", URL),
    ],
)
def test_nor_does_an_option(
    arguments: tuple[str, ...],
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    run(arguments=list(arguments))

    assert "S3cret" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no log at https://u:p@h/a?x=1; try", "no log at https://h/a try"),
        ("https:/u:p@h/a as a path makes of it", "https://h/a as a path makes of it"),
        ("'s3://key:secret@bucket/a' and 'http://h/b#t'", "'s3://bucket/a' and 'http://h/b'"),
        ("http://localhost:8000/v1 is fine", "http://localhost:8000/v1 is fine"),
        ("what? nothing: a/b@c", "what? nothing: a/b@c"),
        ("https://[u:p@h/", "https://..."),
    ],
)
def test_every_url_in_a_message_is_shown_without_its_secrets(text: str, shown: str) -> None:
    assert without_url_secrets(text) == shown


def test_what_may_be_shown_of_a_url() -> None:
    assert public_url(URL) == "https://h.example/a.rlog"
