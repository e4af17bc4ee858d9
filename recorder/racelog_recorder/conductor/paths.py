"""Where a race is written: a folder of segments while it runs, one sealed file at the end."""

from dataclasses import dataclass
from pathlib import Path

from racelog.errors import InputError, StorageError
from racelog.home import own_folder
from racelog.log.format.names import LIVE_SUFFIX, SEGMENT_SUFFIX


@dataclass(slots=True)
class Paths:
    """Where a race is written: a directory of segments first, one sealed file at the end."""

    live: Path
    sealed: Path

    @classmethod
    def choose(cls, race_id: str, home: Path, output: Path | None) -> "Paths":
        """Return the paths for a race: in the home folder, or at and beside ``output``.

        Raises:
            InputError: there is something at ``output`` already.
        """
        if output is None:
            folder = home / "races"
            return cls(folder / (race_id + LIVE_SUFFIX), folder / (race_id + SEGMENT_SUFFIX))
        live = output.with_name(output.name.removesuffix(SEGMENT_SUFFIX) + LIVE_SUFFIX)
        for path in (output, live):
            if path.exists():
                raise InputError(
                    f"{path} exists already; choose another name with -o, nothing is overwritten"
                )
        return cls(live, output)


def make_folder(live: Path) -> None:
    """Make the folder of a race that is about to be recorded.

    Raises:
        StorageError: it cannot be made; the message says where.
    """
    try:
        own_folder(live.parent)
        live.mkdir(mode=0o700)
    except OSError as error:
        raise StorageError(
            f"cannot create {live}: {error.strerror}; choose another folder with --home or -o"
        ) from error
