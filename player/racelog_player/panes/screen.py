"""One picture of the race for any size of terminal. Pure: a scene and a size in, styled lines out.

Room goes, in this order, to the lanes, the standings, the answers, and then to air and small print.
"""

from dataclasses import replace

from racelog_player.model.scene import Page, Scene, Stage
from racelog_player.panes.callout import callout_pane
from racelog_player.panes.comments import comments_pane
from racelog_player.panes.frame import grid_pane, keys_line, small, small_print, title, transport_line
from racelog_player.panes.lanes import lanes_pane
from racelog_player.panes.lessons import callout
from racelog_player.panes.pages.table import PAGES, page_pane
from racelog_player.panes.result import result_pane
from racelog_player.panes.standings import board_pane
from racelog_player.panes.streams import LEAST_ROWS, streams_pane
from racelog_player.panes.toasts import with_toasts
from racelog_player.panes.widgets import fitted, line_width
from racelog_player.terminal.canvas import Line
from racelog_player.terminal.style import Look

LEAST_COLUMNS, LEAST_SCREEN_ROWS = 60, 15
_MOST_TALK = 14
_ROOMY = 12
"""From this many rows left on a lesson may take three; below, the answers need them more."""
_AIRY_ROWS = 34
"""From this many rows on lanes stand apart and blank lines part the panes."""


def screen(scene: Scene, look: Look, columns: int, rows: int) -> list[Line]:
    """Return exactly ``rows`` lines, none wider than ``columns``."""
    if columns < LEAST_COLUMNS or rows < LEAST_SCREEN_ROWS:
        tiny = small(scene.race, scene.transport, columns, rows)
        return _filled([_within(line, columns) for line in tiny], rows)
    top = [title(scene, columns), []]
    bottom = [
        transport_line(scene.transport, columns),
        keys_line(scene, columns, PAGES[scene.page].keys if scene.page in PAGES else ()),
    ]
    room = rows - len(top) - len(bottom)
    body = _filled(_body(scene, look, columns, room), room)
    lines = [_within(line, columns) for line in [*top, *body, *bottom]]
    return with_toasts(lines, scene.moved.toasts, columns)


def scrolled_within(scene: Scene, look: Look, columns: int, rows: int) -> int:
    """Return ``scene.scroll``, less what lies beyond the end of its page: one line less is the same picture there."""
    here = screen(scene, look, columns, rows)
    while (
        scene.scroll and screen(less := replace(scene, scroll=scene.scroll - 1), look, columns, rows) == here
    ):
        scene = less
    return scene.scroll


def _body(scene: Scene, look: Look, columns: int, rows: int) -> list[Line]:
    if scene.page is not Page.RACE:
        return page_pane(scene, look, columns, rows)
    if scene.stage is Stage.GRID:
        return grid_pane(scene, columns, rows)
    lanes = len(scene.race.lanes)
    expert = scene.mode == "expert"
    per_lane = 1 if expert else _rows_per_lane(lanes, rows)
    lines = lanes_pane(scene.race, look, columns, per_lane, chosen=scene.chosen_lane, moved=scene.moved)
    lines += [[]] if per_lane < 3 and rows > lanes * per_lane + 3 else []  # noqa: PLR2004 - 3 ends with a blank
    left = rows - len(lines)
    if scene.summary is not None:
        lines += result_pane(scene.summary, scene.race, columns, left)
        lines += _lesson(scene, columns, rows - len(lines) - 2)
        return _below(scene, lines, columns, rows)
    board = board_pane(
        scene.race,
        scene.movers,
        columns,
        min(left, lanes + 1 + bool(scene.race.unlike)),
        scene.moved,
        expert=expert,
    )
    lines += board
    left -= len(board) + 2
    lines += _lesson(scene, columns, left)
    return _below(scene, lines, columns, rows)


def _below(scene: Scene, lines: list[Line], columns: int, rows: int) -> list[Line]:
    """Return ``lines`` with what the rows left hold: the commentary, the answers, the small print."""
    left = rows - len(lines)
    talk = comments_pane(scene.comments, columns, _talk_rows(left, racing=scene.summary is None), scene.newer)
    left -= len(talk) + (1 if talk else 0)
    words = left >= LEAST_ROWS * 2 + 2 and scene.mode != "expert"
    answers = streams_pane(
        scene.race, columns, left - (3 if words else 1), scene.recent, dense=scene.mode == "expert"
    )
    lines = [*lines, *([[], *talk] if talk else [])]
    if answers:
        lines += [[], *answers]
    return _with_small_print(scene, lines, columns, rows) if words or not answers else lines


def _lesson(scene: Scene, columns: int, left: int) -> list[Line]:
    """Return what the teacher points at, below a blank row; nothing in other modes, or where there is no room."""
    if scene.mode != "teacher" or left < LEAST_ROWS:
        return []
    told = callout_pane(callout(scene.race), columns, 2 if left < _ROOMY else 3)
    return [[], *told] if told else []


def _talk_rows(left: int, *, racing: bool) -> int:
    """Return how many of the rows left the commentary may take: none before the answers have theirs.

    Beside answers that stream it takes a third of what they do not need, once they are over a half.
    """
    if left < LEAST_ROWS + 3:
        return 0
    spare = left - 2 * LEAST_ROWS
    return max(1, min(_MOST_TALK, spare // (2 if racing else 1) + 1))


def _rows_per_lane(lanes: int, rows: int) -> int:
    """Return 3, 2 or 1 rows a lane: the most that leaves room for the standings and a few lines of answers."""
    after = 1 + (lanes + 1) + 1 + LEAST_ROWS + 1
    if rows >= _AIRY_ROWS and lanes * 3 + after + LEAST_ROWS <= rows:
        return 3
    return 2 if lanes * 2 + after <= rows else 1


def _with_small_print(scene: Scene, lines: list[Line], columns: int, rows: int) -> list[Line]:
    """Return ``lines`` with the small print in the last row but one, where that is free."""
    if len(lines) > rows - 2:
        return lines
    return [*_filled(lines, rows - 2), small_print(scene, columns), []]


def _within(line: Line, columns: int) -> Line:
    return line if line_width(line) <= columns else fitted(line, columns)


def _filled(lines: list[Line], rows: int) -> list[Line]:
    return [*lines[:rows], *([[]] * (rows - len(lines)))]
