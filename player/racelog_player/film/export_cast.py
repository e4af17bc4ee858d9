"""``racelog export -f cast``: the race as the player shows it at normal speed, as an asciicast v3 of one standard size.

`racelog play --cast` has a flag for everything; this is the film that needs no question.
"""

from pathlib import Path

from racelog.export.source import Source
from racelog.log.write.atomic import new_file
from racelog.replay.playhead import Playhead
from racelog_player.controller.player import Player
from racelog_player.film.cast import cast_lines
from racelog_player.playback.source import PastRace
from racelog_player.terminal.themes import find_theme

SIZE = (120, 36)
FPS = 15.0


def write(source: Source, folder: Path, form: str, *, force: bool = False) -> list[Path]:
    """Write ``<race id>.cast``. Cost: a frame drawn for each fifteenth of a second of the race.

    Raises:
        InputError: it is there already and ``force`` is not set.
        StorageError: it cannot be written.
    """
    target = folder / f"{source.stem}.{form}"
    with new_file(target, force=force) as partial:
        player = Player(PastRace(source.log.path), Playhead(0, 0))
        theme = find_theme("default")
        lines = cast_lines(player, theme, SIZE, FPS, source.summary.name)
        with partial.open("w", encoding="utf-8", errors="replace") as file:
            file.writelines(lines)
    return [target]
