"""Logs elsewhere: over real HTTP with ranges, without them, broken off and changed; and in a file system of fsspec's."""

import http.server
import re
import sys
import threading

import fsspec
import pytest

import racelog
from racelog.cli import run
from racelog.errors import InputError, LogError, RaceNotFound
from racelog.query.connection.connect import RaceWarning, load_races
from racelog.query.sources import https, remote
from racelog.testing.races import Plan, ScriptedRace
from tests.core.query.recorded import store

RACE = ScriptedRace([Plan("a", requests=2, tokens=3)])
OLDER, NEWER = "20261120-010101-00000001", "20261122-010101-00000001"
SECRET = "hunter2-swordfish"


class Server(http.server.ThreadingHTTPServer):
    """One log at every path, and what was asked of it. ``breaks``: so many answers end in the middle."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.data, self.etag, self.ranges, self.breaks = b"", '"one"', True, 0
        self.asked: list[tuple[str, str, str]] = []

    def url(self, path: str = "/race.rlog", user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.server_port}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET with a range of the log, or all of it."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        server.asked.append((self.path, self.headers.get("Range", ""), self.headers.get("Authorization", "")))
        if "missing" in self.path:
            self.send_error(404)
            return
        data, total = server.data, len(server.data)
        if server.ranges and found and self.headers.get("If-Range", server.etag) == server.etag:
            first, last = int(found[1]), min(int(found[2]), total - 1)
            data = data[first : last + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{total}")
        else:
            self.send_response(200)
        self.send_header("ETag", server.etag)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if server.breaks and len(data) > 1:
            server.breaks -= 1
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        self.wfile.write(data)

    def log_message(self, *_) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path):
    with Server() as server:
        server.data = store(tmp_path / "elsewhere", RACE, OLDER).read_bytes()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def bucket(tmp_path):
    """Return a folder of fsspec's memory file system, empty before and after."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    yield files
    files.store.clear()


def put(files, path, race_id, tmp_path):
    files.pipe_file(path, store(tmp_path / race_id, RACE, race_id).read_bytes())


def tokens(connection) -> int:
    ((count,),) = connection.execute("select count(*) from tokens").fetchall()
    return int(count)


def copies(home):
    return list(home.glob("cache/remote/*/*"))


def test_a_log_behind_a_url_is_read_in_ranges_and_copied_once(home, server, monkeypatch):
    monkeypatch.setattr(https, "PART_BYTES", 500)

    first = tokens(racelog.connect(server.url()))
    ranges = [asked for _, asked, _ in server.asked]
    second = tokens(racelog.connect(server.url()))

    assert first == second == 6
    assert ranges[:3] == ["bytes=0-0", "bytes=0-499", f"bytes=500-{len(server.data) - 1}"]
    assert [asked for _, asked, _ in server.asked][len(ranges) :] == ["bytes=0-0"]
    assert len(copies(home)) == 1


def test_a_connection_that_breaks_is_taken_up_where_it_broke(home, server):
    server.breaks = 2

    assert tokens(racelog.connect(server.url())) == 6

    half = len(server.data) // 2
    assert [asked for _, asked, _ in server.asked][2].startswith(f"bytes={half}-")


def test_a_connection_that_always_breaks_before_anything_came_is_given_up(home, server, monkeypatch):
    monkeypatch.setattr(https, "READ_BYTES", 1 << 30)
    server.data, server.breaks = b"xx", 1 << 30
    server.ranges = False

    with pytest.raises(LogError, match=r"cannot read http://127.0.0.1:\d+/race.rlog"):
        racelog.connect(server.url())

    assert copies(home) == []


def test_a_server_without_ranges_will_do(home, server):
    server.ranges = False

    assert tokens(racelog.connect(server.url())) == 6


def test_a_log_that_changed_is_copied_anew(home, server, tmp_path):
    racelog.connect(server.url())
    server.data, server.etag = (
        store(tmp_path, ScriptedRace([Plan("b", requests=1, tokens=5)])).read_bytes(),
        '"two"',
    )

    assert tokens(racelog.connect(server.url())) == 5


def test_a_log_that_changes_while_it_is_read_is_an_error(home, server, monkeypatch):
    monkeypatch.setattr(https, "PART_BYTES", 100)
    log = remote.remote_logs(server.url())[0]
    log.state()
    parts = log.parts()
    next(parts)
    server.etag = '"two"'

    with pytest.raises(LogError, match="changed while it was read"):
        list(parts)


def test_nothing_secret_of_a_url_is_ever_shown(home, server, capfd):
    url = server.url(f"/race.rlog?X-Signature={SECRET}", f"me:{SECRET}@")
    missing = server.url(f"/missing.rlog?X-Signature={SECRET}", f"me:{SECRET}@")

    assert run(["sql", "select path from races", url]) == 0
    assert run(["sql", "select path from races", missing]) != 0

    out, err = capfd.readouterr()
    assert f"http://127.0.0.1:{server.server_port}/race.rlog" in out
    assert f"cannot read http://127.0.0.1:{server.server_port}/missing.rlog: HTTP 404" in err
    assert SECRET not in out + err
    assert SECRET in server.asked[0][0]
    assert server.asked[0][2].startswith("Basic ")
    assert not [path for path in home.rglob("*") if SECRET in str(path)]
    assert not [path for path in home.rglob("*.json") if SECRET in path.read_text()]


def test_a_log_that_is_not_there_does_not_hide_the_others(home, server):
    loaded = load_races(server.url(), server.url("/missing.rlog"))

    assert loaded.races == 1
    assert [problem.partition(" was skipped: ")[2].rpartition(": ")[2] for problem in loaded.problems] == [
        "HTTP 404"
    ]


def test_what_is_no_log_is_told_by_its_url_and_not_by_its_copy(home, server):
    server.data = b"no log at all"

    with pytest.raises(LogError, match="^" + re.escape(f"{server.url()} is not a racelog file")):
        racelog.connect(server.url())


def test_a_log_that_is_too_large_is_not_copied(home, server, monkeypatch):
    monkeypatch.setattr(remote, "MOST_BYTES", 10)

    with pytest.raises(LogError, match=r"has [\d,]+ bytes, more than 10"):
        racelog.connect(server.url())


def test_a_pattern_of_folders_over_https_is_refused_because_nothing_can_be_listed():
    with pytest.raises(InputError, match="https cannot list what matches https://host/"):
        racelog.connect(f"https://me:{SECRET}@host/*/race.rlog")


def test_a_pattern_over_http_is_refused_where_the_folder_has_no_page(server):
    with pytest.raises(
        InputError, match=r"http cannot list what matches http://127\.0\.0\.1:\d+/\*\.rlog: .*name each log"
    ):
        racelog.connect(server.url("/*.rlog", user=f"me:{SECRET}@"))


def test_a_missing_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)

    with pytest.raises(InputError, match=r"s3:// needs a package more: pip install 'racelog\[s3\]'"):
        racelog.connect("s3://bucket/race.rlog")


def test_a_pattern_in_a_bucket_stands_for_every_log_that_matches(home, bucket, tmp_path):
    put(bucket, "/runs/a/one.rlog", OLDER, tmp_path)
    put(bucket, "/runs/b/two.rlog", NEWER, tmp_path)
    bucket.pipe_file("/runs/b/notes.txt", b"no log")

    connection = racelog.connect("memory://runs/*/*")

    assert connection.execute("select race_id, path from races order by 1").fetchall() == [
        (OLDER, "memory:///runs/a/one.rlog"),
        (NEWER, "memory:///runs/b/two.rlog"),
    ]
    with pytest.raises(RaceNotFound, match="no log matches memory://runs/c"):
        racelog.connect("memory://runs/c/*.rlog")


def test_a_home_may_be_a_bucket_beside_one_here(home, bucket, tmp_path, capfd):
    store(home, RACE, OLDER)
    put(bucket, f"/team/races/{NEWER}.rlog", NEWER, tmp_path)

    connection = racelog.connect(home=[home, "memory://team"])

    assert connection.execute("select race_id from races order by 1").fetchall() == [(OLDER,), (NEWER,)]
    for name in ("latest", "20261122", NEWER):
        assert racelog.connect(name, home=[home, "memory://team"]).execute(
            "select race_id from races"
        ).fetchall() == [(NEWER,)]
    assert run(["sql", "-f", "csv", "select count(*) as n from races", "--home", "memory://team"]) == 0
    assert capfd.readouterr().out.split() == ["n", "1"]


def test_without_a_cache_no_copy_stays(home, bucket, tmp_path):
    put(bucket, "/one.rlog", OLDER, tmp_path)

    assert tokens(racelog.connect("memory://one.rlog", cache=False)) == 6
    assert not (home / "cache").exists()


def test_a_file_that_is_not_in_the_bucket_is_told(home, bucket):
    with pytest.raises(LogError, match=r"cannot read memory://gone\.rlog: it is not there"):
        racelog.connect("memory://gone.rlog")


def test_a_copy_of_a_race_that_is_here_is_told_by_its_url(home, bucket, tmp_path):
    store(home, RACE, OLDER)
    put(bucket, f"/team/races/{OLDER}.rlog", OLDER, tmp_path)

    with pytest.warns(RaceWarning, match=rf"^memory:///team/races/{OLDER}.rlog was skipped: it is race"):
        racelog.connect(home=[home, "memory://team"])
