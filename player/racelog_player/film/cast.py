"""A race as an asciicast v3: the player's own frames, for asciinema to play; `racelog_player.film.gif` makes pixels of them.

One JSON line a frame, times as intervals (https://docs.asciinema.org/manual/asciicast/v3/); moments become markers.
Frames are those a terminal with true colour would get; nothing is written where nothing changes.
"""

import json
from collections.abc import Iterator

from racelog.clock import NS_PER_S
from racelog.display.text import json_inert, printable
from racelog_player.controller.player import Player
from racelog_player.model.scene import Scene
from racelog_player.panes.screen import screen
from racelog_player.terminal.canvas import Canvas, Depth, Line
from racelog_player.terminal.style import Look, colors_of
from racelog_player.terminal.themes import Theme, cast_for

REST_S = 3.0
"""The last frame stays this long, so that a loop does not snatch the result away."""


def cast_lines(player: Player, theme: Theme, size: tuple[int, int], fps: float, title: str) -> Iterator[str]:
    """Yield the lines of a cast of ``player`` from its playhead's clock 0 until it comes to rest.

    Cost: one frame for each ``1 / fps`` of played time; each is a line only if it differs from the one before.
    """
    columns, rows = size
    header: dict[str, object] = {
        "version": 3,
        "term": {"cols": columns, "rows": rows, "type": "xterm-256color"},
    }
    header |= {"title": printable(title), "command": "racelog play"} if title else {}
    yield json_inert(json.dumps(header, ensure_ascii=False)) + "\n"
    canvas = Canvas(Depth.TRUE, theme=theme)
    yield _event(0.0, "o", "\x1b[?25l\x1b[2J")
    shown_ns = 0
    marks = [moment for moment in player.playback.moments() if moment.kind != "error"]
    for now_ns, scene, lines in frames(player, size, fps):
        while marks and marks[0].position_ns <= scene.transport.position_ns:
            yield _event((now_ns - shown_ns) / NS_PER_S, "m", marks.pop(0).text)
            shown_ns = now_ns
        if (worn := cast_for(theme, colors_of(scene.race))) != canvas.theme:
            canvas.wear(worn)
        if text := canvas.frame(lines, columns, rows):
            yield _event((now_ns - shown_ns) / NS_PER_S, "o", text)
            shown_ns = now_ns
    yield _event(REST_S, "o", "\x1b[?25h")


def frames(player: Player, size: tuple[int, int], fps: float) -> Iterator[tuple[int, Scene, list[Line]]]:
    """Yield when each frame is due, in nanoseconds from the player's clock 0, what it shows and its lines, until it rests."""
    now_ns, frame_ns, look = 0, round(NS_PER_S / fps), Look()
    while True:
        scene = player.scene(now_ns)
        yield now_ns, scene, screen(scene, look, *size)
        if not player.moving(now_ns):
            return
        now_ns += frame_ns


def _event(after_s: float, code: str, data: str) -> str:
    return json_inert(json.dumps([round(after_s, 6), code, data], ensure_ascii=False)) + "\n"
