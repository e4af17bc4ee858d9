"""A child process of the conductor: its spec and orders go in, its reports come out, its death is noticed."""

import subprocess
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
import trio

from racelog_recorder.processes import own_process
from racelog_recorder.protocol.lines import lines_of
from racelog_recorder.protocol.messages import Order, Report, framed

STDERR_LINES = 20
FAREWELL_S = 5.0
"""How long a process may take to finish its segment when the conductor leaves early."""

_encoder = msgspec.json.Encoder()
_reports = msgspec.json.Decoder(Report)


class Child:
    """One lane or telemetry process, in a process group of its own so that the terminal's signals pass it by.

    ``ready`` and ``ended`` are events; after `ended`, ``died`` says whether it left without saying it was done,
    and ``reason`` why. ``environment`` is its own, or this process's; its key, if it has one, comes with its spec. ``tell`` takes
    what it says for whoever records.
    """

    def __init__(
        self,
        name: str,
        module: str,
        spec: Any,
        environment: dict[str, str] | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.name = name
        self.ready = trio.Event()
        self.ended = trio.Event()
        self.died = False
        self.reason = ""
        self.exit_code = 0
        self.pid = 0
        self._command = own_process(module)
        self._environment = environment
        self._tell = tell
        self._spec = framed(_encoder.encode(spec))
        self._process: trio.Process | None = None
        self._sending = trio.Lock()
        self._last: Report | None = None
        self._stderr: deque[str] = deque(maxlen=STDERR_LINES)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Start the process, hear it out and reap it; started once it runs and has its spec."""
        try:
            self._process = await trio.lowlevel.open_process(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
                env=self._environment,
            )
        except OSError as error:
            self._stderr.append(f"cannot start: {error}")
            self._settle()
            task_status.started()
            return
        self.pid = self._process.pid
        try:
            await self._send(self._spec)
            task_status.started()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._hear_reports)
                nursery.start_soon(self._hear_stderr)
            self.exit_code = await self._process.wait()
        finally:
            await self._let_go()
            self._settle()

    async def order(self, order: Order) -> None:
        """Send an order; one to a process that is gone is dropped."""
        await self._send(_encoder.encode(order) + b"\n")

    def kill(self) -> None:
        """Kill the process at once."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _let_go(self) -> None:
        """If the conductor fails, close the pipe: the process then finishes its segment by itself, or is killed."""
        assert self._process is not None
        assert self._process.stdin is not None
        if self._process.returncode is not None:
            return
        with trio.move_on_after(FAREWELL_S, shield=True):
            await self._process.stdin.aclose()
            await self._process.wait()
        self.kill()

    async def _send(self, data: bytes) -> None:
        if self._process is None or self._process.stdin is None:
            return
        try:
            async with self._sending:
                await self._process.stdin.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return

    async def _hear_reports(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in lines_of(self._process.stdout):
            self._hear(line)

    def _hear(self, line: bytes) -> None:
        """Take one line of the child's stdout; what is no report (a library's print) is kept as a complaint."""
        try:
            report = _reports.decode(line)
        except msgspec.DecodeError:
            self._stderr.append(line.decode("utf-8", "replace"))
            return
        if report.say == "told":
            if self._tell is not None:
                self._tell(report.text)
            return
        self._last = report
        if self._last.say == "ready":
            self.ready.set()

    async def _hear_stderr(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        buffer = b""
        async for data in self._process.stderr:
            *lines, buffer = (buffer + data).split(b"\n")
            self._stderr.extend(line.decode("utf-8", "replace") for line in lines)
        if buffer:
            self._stderr.append(buffer.decode("utf-8", "replace"))

    def _settle(self) -> None:
        """Decide how the process ended, and let everyone who waits for it go on."""
        self.died = self._last is None or self._last.say != "done"
        if self.died:
            self.reason = self._why()
        self.ready.set()
        self.ended.set()

    def _why(self) -> str:
        if self._last is not None and self._last.say == "failed":
            return self._last.text
        code = self._process.returncode if self._process else None
        how = f"killed by signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        how = "not started" if self._process is None else how
        said = next((line for line in reversed(self._stderr) if line.strip()), "")
        return f"racelog's process {self.name} ended: {how}" + (f": {said}" if said else "")
