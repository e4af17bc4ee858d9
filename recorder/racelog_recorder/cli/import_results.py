"""``racelog import``: what other load testers left behind, as a race like any other."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from racelog.console.arguments import home_option, json_option
from racelog.console.output import emit_json, warn
from racelog.console.progress import ProgressLine
from racelog.display.text import counted, printable
from racelog.errors import InputError

if TYPE_CHECKING:
    from racelog_recorder.imports import Imported

EXAMPLES = """\b
Examples:
  racelog import artifacts/profile_export_raw.jsonl     aiperf profile --export-level raw
  racelog import artifacts/                             the fullest that aiperf left there
  racelog import vllm.json -o race.rlog                 vllm bench serve --save-result --save-detailed
  racelog import benchmarks.json --engine sglang        guidellm
  racelog sql "from aiperf('latest')"                   and then as any race

\b
Exit status: 0 all were imported; 2 wrong usage, or a file holds too little; 4 the disk failed.
"""


@click.command("import", epilog=EXAMPLES, short_help="aiperf, vllm bench or guidellm results as a race.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="OUT.rlog",
    help="The log to write, of a single FILE (default: a race in the home folder).",
)  # fmt: skip
@click.option("--engine", metavar="NAME", help="What to call the engine (default: its model).")
@click.option("--force", is_flag=True, help="Overwrite a log that is there.")
@json_option
@home_option
def import_files(
    files: tuple[Path, ...],
    output: Path | None,
    engine: str | None,
    home: Path | None,
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Write each FILE's results as a race of its own, marked as imported; of a FILE with several results, each.

    Nothing is made up: what the tool did not keep stays unknown, and the race says what that is. Times are the tool's own.
    """
    from racelog_recorder.imports import SeveralResults, import_every, import_results  # noqa: PLC0415 - not needed for --help

    if output is not None and len(files) > 1:
        raise InputError(
            f"-o names one log, but there are {len(files)} files; leave it out or import them one by one"
        )
    done: list[Imported] = []
    refused: InputError | None = None
    with ProgressLine() as progress:
        for file in files:
            try:
                if output is not None:
                    done.append(
                        import_results(file, output, home=home, engine=engine, force=force, progress=progress)
                    )
                else:
                    done.extend(import_every(file, home=home, engine=engine, force=force, progress=progress))
            except SeveralResults as error:
                refused = InputError(
                    f"-o names one log, but {error}; leave it out, and each is a race in the home"
                )
                break
            except InputError as error:
                refused = error if file.name in str(error) else InputError(f"{file}: {error}")
                break
    if done:
        _tell(done, as_json=as_json)
    if refused is not None:
        raise refused


def _tell(done: "list[Imported]", *, as_json: bool) -> None:
    """Print what was imported, and what each tool did not keep."""
    if as_json:
        emit_json([_plain(found) for found in done])
        return
    for found in done:
        tool = f"{found.tool} {found.version}".strip()
        click.echo(
            f"imported {printable(str(found.source))} ({printable(tool)}, {found.kind}) to {printable(str(found.path))}: "
            f"{counted(found.requests, 'request')}, {counted(found.chunks, 'chunk')}, {counted(found.lanes, 'lane')}"
        )
        for note in found.notes:
            warn(f"{found.source.name}: {note}" if len(done) > 1 else note)


def _plain(found: "Imported") -> dict[str, object]:
    return {
        "path": str(found.path), "race_id": found.race_id, "source": str(found.source), "tool": found.tool,
        "version": found.version, "kind": found.kind, "lanes": found.lanes, "requests": found.requests,
        "chunks": found.chunks, "notes": list(found.notes),
    }  # fmt: skip
