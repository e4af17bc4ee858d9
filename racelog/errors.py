"""Every error racelog raises on purpose, and whose fault each one is.

    RacelogError                      exit 1
    +-- InputError                    exit 2   you asked for something that cannot be done
    |   +-- PlanError                          a field of race.yaml or a flag is wrong
    |   +-- RaceNotFound                       no race by that path, id or prefix
    |   +-- SeveralRaces                       one race was asked for, the files hold more
    +-- LogError                      exit 1   the file is at fault
    |   +-- NotALog                            these bytes never were a racelog file
    |   +-- NewerLog                           written by a later racelog than this one
    +-- StorageError                  exit 4   the disk is full or failing
    |   +-- SyncError                          it took the bytes but does not promise to keep them
    |   +-- Unwritable                         what a command prints cannot be written where it should go
    +-- PluginError                   exit 1   what another package adds to racelog cannot be used
    +-- EngineError                   exit 5   an endpoint cannot be raced
    +-- Interrupted                   exit 130 you stopped it before there was anything to keep

Messages hold the value at fault and the next step. `racelog.cli` is the only place that prints them.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Self

_SHOWN = 80
"""Characters of an id in a message: one from outside may have any number."""


class ExitCode(IntEnum):
    """What a racelog command's exit status means."""

    OK = 0
    FAILED = 1
    USAGE = 2
    LOSS = 3
    STORAGE = 4
    ENGINE = 5
    INTERRUPTED = 130


class RacelogError(Exception):
    """Something went wrong that a user can act on."""

    exit_code: ExitCode = ExitCode.FAILED


class InputError(RacelogError):
    """The request cannot be carried out as it was asked."""

    exit_code = ExitCode.USAGE


class PlanError(InputError):
    """A field of a race plan is missing, unknown or out of range."""


class RaceNotFound(InputError):  # noqa: N818 - reads as the sentence it is
    """No race answers to that path, id or prefix."""


class SeveralRaces(InputError):  # noqa: N818 - reads as the sentence it is
    """Files of different races were put together, where a log holds one."""

    @classmethod
    def of(cls, races: Mapping[str, str]) -> Self:
        """Return the error for the files in which these races were met, by their ids."""
        files = sorted(set(races.values()))
        if len(files) == 1:
            each = f"in {files[0]}: {', '.join(repr(race[:_SHOWN]) for race in sorted(races))}"
        else:
            each = f"({', '.join(f'{race[:_SHOWN]!r} in {file}' for race, file in sorted(races.items()))})"
        return cls(
            f"these are different races {each}. A log holds one. Take one out: racelog cut RACE --race-id ID -o OUT.rlog; "
            "or compare them, a file each: racelog sql"
        )


class LogError(RacelogError):
    """The log file itself is at fault."""


class NotALog(LogError):  # noqa: N818 - reads as the sentence it is
    """The bytes hold no racelog unit at all."""


class NewerLog(LogError):  # noqa: N818 - reads as the sentence it is
    """The log was written by a newer major format than this program reads."""


class StorageError(RacelogError):
    """Writing failed; what was committed before is still whole."""

    exit_code = ExitCode.STORAGE


class SyncError(StorageError):
    """What was written is readable now; whether it survives a power failure is unknown."""


class Unwritable(StorageError):  # noqa: N818 - reads as the sentence it is
    """Standard output takes nothing: the disk it goes to is full, or it is closed."""


class PluginError(RacelogError):
    """What a package adds to racelog cannot be loaded, or is not what its entry-point group asks for."""


class EngineError(RacelogError):
    """An engine cannot be reached or cannot be raced."""

    exit_code = ExitCode.ENGINE


class Interrupted(RacelogError):  # noqa: N818 - reads as the sentence it is
    """The user stopped before there was anything to keep."""

    exit_code = ExitCode.INTERRUPTED


NOTHING_RECORDED = "interrupted before the start; nothing was recorded"
