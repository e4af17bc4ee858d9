"""How a race ended, and the exit code that this calls for."""

from dataclasses import dataclass, field

from racelog.errors import ExitCode


@dataclass(slots=True)
class Outcome:
    """How a race ended: for each lane its process's fate, and the command's exit code.

    ``again``: another race of the same plan was asked for. ``packed``: its log is no mere copy of its segments.
    """

    died: dict[str, str] = field(default_factory=dict)
    stopped: bool = False
    again: bool = False
    storage_failed: bool = False
    packed: bool = True

    @property
    def exit_code(self) -> ExitCode:
        """The exit code this outcome calls for, the gravest first."""
        if self.storage_failed:
            return ExitCode.STORAGE
        if self.stopped:
            return ExitCode.INTERRUPTED
        return ExitCode.ENGINE if self.died else ExitCode.OK
