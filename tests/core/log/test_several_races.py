"""Files of different races put together: refused with both ids by every reader, and taken apart again."""

from pathlib import Path

import pytest

import racelog
from racelog.cli import run
from racelog.errors import InputError, SeveralRaces
from racelog.events import AnyEvent, Head, LaneFacts, RaceFacts
from racelog.log.read.exact import gather
from racelog.log.read.follow import LogFollower
from racelog.log.read.reader import open_log
from racelog.log.rewrite.seal import seal
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import RACE_ID, Plan, ScriptedRace

OTHER = "20261122-020000-99999999"
BOTH = (RACE_ID, OTHER)


def write(path: Path, race_id: str, writer: int, role: str = "conductor") -> None:
    race = ScriptedRace([Plan(f"engine-{writer}", requests=2, tokens=3)])
    events: list[AnyEvent] = [
        RaceFacts(t=e.t, race_id=race_id, name=e.name, started_at=e.started_at, seed=e.seed)
        if isinstance(e, RaceFacts)
        else e
        for e in race.events()
    ]
    head = Head(t=0, race_id=race_id, writer=f"{writer:016x}", role=role, mono_origin_ns=writer)  # type: ignore[arg-type]  # a test's word
    with SegmentWriter(path, head) as segment:
        segment.commit(events)
        segment.finish(events[-1].t)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "both"
    folder.mkdir()
    write(folder / "a.rlog", RACE_ID, 1)
    write(folder / "b.rlog", OTHER, 2)
    return folder


@pytest.fixture
def glued(folder: Path) -> Path:
    path = folder.parent / "glued.rlog"
    path.write_bytes((folder / "a.rlog").read_bytes() + (folder / "b.rlog").read_bytes())
    return path


VERBS = {
    "info": (), "dump": (), "cat": (), "play": ("--at", "1s", "--json"), "card": ("-o", "card.png"),
    "export": ("-f", "md"), "cut": ("--start", "0s", "-o", "part.rlog"), "compact": ("-o", "small.rlog"),
    "recover": ("-o", "whole.rlog"), "merge": ("-o", "merged.rlog"), "serve": (),
}  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("put_together", ["folder", "glued"])
def test_every_verb_refuses_two_races_by_their_ids(
    *,
    verb: str,
    put_together: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path: Path = request.getfixturevalue(put_together)
    monkeypatch.chdir(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.rlog")}

    status = run([verb, str(path), *VERBS[verb]])

    out, err = capfd.readouterr()
    assert (status, out) == (2, "")
    assert all(race_id in err for race_id in BOTH)
    assert err.count("\n") == 1
    assert before == {p: p.read_bytes() for p in tmp_path.rglob("*.rlog")}


def test_every_reader_in_python_refuses_them(folder: Path, glued: Path) -> None:
    for read in (racelog.open, racelog.connect, open_log, gather):
        for path in (folder, glued):
            with pytest.raises(SeveralRaces, match=f"{RACE_ID}.*{OTHER}"):
                read(path if read is not racelog.connect or path is glued else glued)
    with pytest.raises(SeveralRaces):
        LogFollower(folder).poll()
    with glued.open("rb") as file, pytest.raises(SeveralRaces):
        list(racelog.stream(file))
    with pytest.raises(SeveralRaces):
        seal(folder, folder.parent / "sealed.rlog")


def test_verify_names_both_and_the_way_out(glued: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(glued)]) == 3
    assert f"holds 2 races: {RACE_ID}, {OTHER}; take one out: racelog cut" in capfd.readouterr().out


def test_one_race_is_taken_out_by_its_id(glued: Path, tmp_path: Path) -> None:
    assert run(["cut", str(glued), "--race-id", OTHER, "-o", str(tmp_path / "one.rlog")]) == 0

    with racelog.open(tmp_path / "one.rlog") as log:
        assert (log.race and log.race.race_id) == OTHER
        assert [facts.engine for facts in log.lanes.values()] == ["engine-2"]


def test_a_race_that_is_not_there_is_told_with_those_that_are(
    glued: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["cut", str(glued), "--race-id", "x", "-o", str(tmp_path / "one.rlog")]) == 2
    assert f"there are {RACE_ID}, {OTHER}" in capfd.readouterr().err


def test_sql_takes_a_folder_as_many_races(folder: Path) -> None:
    rows = racelog.connect(folder, cache=False).execute("select race_id from races order by 1").fetchall()

    assert rows == [(RACE_ID,), (OTHER,)]


def test_sql_refuses_segments_of_one_race_among_others(folder: Path) -> None:
    write(folder / "c.rlog", OTHER, 3, "lane")

    with pytest.raises(InputError, match=r"racelog merge b\.rlog c\.rlog"):
        racelog.connect(folder, cache=False)


def test_segments_of_one_race_put_together_are_still_a_log(tmp_path: Path) -> None:
    live = ScriptedRace([Plan("a"), Plan("b")]).write_segments(tmp_path / "race")
    glued = tmp_path / "glued.rlog"
    glued.write_bytes(b"".join(file.read_bytes() for file in sorted(live.iterdir())))

    assert [facts.engine for facts in open_log(glued).of(LaneFacts)] == ["a", "b"]
