"""Logs found on a web server's page of their folder: as each server writes it, and where it lies."""

import functools
import http.server
import threading
from contextlib import contextmanager

import pytest

import racelog
from racelog.cli import run
from racelog.errors import InputError, LogError, RaceNotFound
from racelog.query.sources import links
from racelog.query.sources.links import linked_logs
from racelog.testing.races import Plan, ScriptedRace
from tests.core.query.recorded import store

OLDER, NEWER = "20261120-010101-00000001", "20261122-010101-00000001"

NGINX = """<html>
<head><title>Index of /home/races/</title></head>
<body>
<h1>Index of /home/races/</h1><hr><pre><a href="../">../</a>
<a href="20261123-010101-00000001.live/">20261123-010101-00000001.live/</a>   21-Nov-2026 01:01       -
<a href="a%20b.rlog">a b.rlog</a>                 21-Nov-2026 01:01    4711
<a href="20261120.rlog">20261120.rlog</a>         21-Nov-2026 01:01    4711
</pre><hr></body>
</html>
"""
APACHE = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">
<html><body><table><tr><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th></tr>
<tr><td><a href="/home/">Parent Directory</a></td><td>&nbsp;</td></tr>
<tr><td><a href="20261120.rlog">20261120.rlog</a></td><td align="right">2026-11-21 01:01</td></tr>
<tr><td><a href="a%20b.rlog">a b.rlog</a></td></tr></table>
<address>Apache/2.4.58 (Ubuntu) Server at localhost Port 80</address></body></html>
"""
HOSTILE = """<a href="http://elsewhere.invalid/home/races/1.rlog"> <a href="//elsewhere.invalid/home/races/2.rlog">
<a href="../3.rlog"> <a href="../../etc/4.rlog"> <a href="sub/5.rlog"> <a href="..%2F6.rlog"> <a href="file:///home/races/7.rlog">
<a href="https://127.0.0.1/home/races/8.rlog"> <a href="http://[/9.rlog"> <a href="javascript:10.rlog"> <a
 CLASS=x HREF='20261120.rlog?x=1#y'> <a href=a&#32;b.rlog> <a href="a%20b.rlog"> <a href="notes.txt"> <area href="11.rlog">
<a href="me:pass@127.0.0.1/12.rlog"> <a href="20261120.rlog">again</a> <a href="
"""


@contextmanager
def serving(handler):
    """Serve on a port of its own; yield the address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:  # a server that is closed and not shut down takes a core for as long as the process lives
            server.shutdown()
            thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """What `python -m http.server` runs."""

    def log_message(self, *_) -> None:
        """Say nothing."""


class Page(Quiet):
    """One page at ``/home/races/`` for those who log in as me:pass, at ``/moved/`` a way to one for all."""

    page = b""
    kind = "text/html"

    def do_GET(self) -> None:
        if self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", "/open/")
            self.end_headers()
        elif not self.path.startswith(("/home/races/", "/open/")):
            self.send_error(404)
        elif not self.path.startswith("/open/") and (
            self.headers.get("Authorization") != "Basic bWU6cGFzcw==" or not self.path.endswith("/?key=1")
        ):
            self.send_error(401)
        else:
            self.send_response(200)
            self.send_header("Content-Type", self.kind)
            self.end_headers()
            self.wfile.write(self.page)


def listed(page, pattern="*.rlog", kind="text/html", folder="/home/races"):
    """Return the addresses found on a page, without the host."""
    handler = type("Handler", (Page,), {"page": page.encode(), "kind": kind})
    with serving(handler) as address:
        host = address.removeprefix("http://")
        found = linked_logs(
            f"http://me:pass@{host}{folder}/{pattern}?key=1", f"http://host{folder}/{pattern}"
        )
        assert all(log.startswith(f"http://me:pass@{host}/") for log in found)
        return [log.partition(host)[2] for log in found]


@pytest.mark.parametrize("page", [NGINX, APACHE, HOSTILE], ids=["nginx", "Apache", "hostile"])
def test_the_logs_of_the_page_s_own_folder_are_found_and_nothing_else(page):
    assert listed(page) == ["/home/races/20261120.rlog?key=1", "/home/races/a%20b.rlog?key=1"]


def test_a_pattern_picks_among_the_names():
    assert listed(NGINX, "a*b.rlog") == ["/home/races/a%20b.rlog?key=1"]
    assert listed(NGINX, "zz*") == []


@pytest.mark.parametrize(
    ("page", "kind", "folder", "why"),
    [
        ("<p>Welcome!</p>", "text/html", "/home/races", "its folder's page links to no log"),
        (NGINX, "application/json", "/home/races", "its folder has no page of links"),
        (NGINX, "text/html", "/moved", "its folder's address leads elsewhere"),
        (NGINX, "text/html", "/none", "its folder has no page: HTTP 404"),
    ],
)
def test_without_a_page_of_links_each_log_has_to_be_named(page, kind, folder, why):
    with pytest.raises(InputError) as raised:
        listed(page, kind=kind, folder=folder)

    assert (
        str(raised.value) == f"http cannot list what matches http://host{folder}/*.rlog: {why}; name each log"
    )


def test_a_page_that_is_too_large_is_not_read(monkeypatch):
    monkeypatch.setattr(links, "MOST_PAGE_BYTES", 100)

    with pytest.raises(InputError, match="its folder's page takes more than 100 bytes"):
        listed(NGINX)


def test_a_refusal_is_told_as_it_is():
    with serving(Page) as address, pytest.raises(LogError, match="HTTP 401"):
        linked_logs(f"{address}/home/races/*.rlog", "shown")


def test_a_home_that_python_serves_is_read_like_one_here(home, tmp_path, capfd):
    there = tmp_path / "there"
    for race_id in (OLDER, NEWER):
        store(there, ScriptedRace([Plan("a", requests=2, tokens=3)]), race_id)
    (there / "races" / "20261123-010101-00000001.live").mkdir()
    with serving(functools.partial(Quiet, directory=str(there))) as address:
        connection = racelog.connect(home=f"{address}/")
        assert connection.execute("select race_id, path from races order by 1").fetchall() == [
            (race_id, f"{address}/races/{race_id}.rlog") for race_id in (OLDER, NEWER)
        ]
        for name in ("latest", "20261122", f"{address}/races/*22-*.rlog"):
            found = racelog.connect(name, home=address).execute("select race_id from races").fetchall()
            assert found == [(NEWER,)]
        with pytest.raises(RaceNotFound, match=r"no log matches http://127\.0\.0\.1:\d+/races/1999\*\.rlog"):
            racelog.connect(f"{address}/races/1999*.rlog")
        query = "select count(*) as n from races"
        assert run(["sql", "-f", "csv", query, "--home", address]) == 0
        assert run(["sql", query, "--home", f"{address}/nowhere"]) == 2
    said = capfd.readouterr()
    assert said.out.split() == ["n", "2"]
    assert "/nowhere/races/*.rlog: its folder has no page: HTTP 404; name each log" in said.err
