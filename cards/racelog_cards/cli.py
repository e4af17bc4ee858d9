"""``racelog card``: a race's result as a picture worth sharing."""

import re
from pathlib import Path
from typing import Literal, cast

import click

from racelog.errors import InputError
from racelog.home import find_race, home_folder
from racelog.log.write.atomic import check_target, publish
from racelog.plugins import installed

EXAMPLES = """\b
Examples:
  racelog card                                  the latest race as <race id>.png, sized for X
  racelog card 20261121 -o race.png --size square
  racelog card race.rlog -o race.svg --theme light --title "Which server has the lowest TTFT?"
"""

FORMS = {".png": "png", ".svg": "svg"}
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@click.command(epilog=EXAMPLES, short_help="A picture worth sharing.")
@click.argument("race", default="latest")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Picture to write, .png or .svg; <race id>.png if not given.",
)
@click.option(
    "--size",
    type=click.Choice(["x", "linkedin", "square"]),
    default="x",
    show_default=True,
    help="1200x675, 1200x627 or 1080x1080 pixels.",
)
@click.option(
    "--theme", type=click.Choice(["dark", "light"]), default="dark", show_default=True, help="Colours."
)
@click.option(
    "--template",
    type=click.Choice([*installed("racelog.card_templates")]),
    default="standard",
    show_default=True,
    help="What it looks like; other packages can add more (docs/plugins.md).",
)
@click.option("--title", default="", metavar="TEXT", help="Headline in place of the race's name.")
@click.option("--force", is_flag=True, help="Overwrite the picture if it exists.")
@click.option(
    "--home", type=click.Path(path_type=Path), help="Folder of the races, in place of $RACELOG_HOME."
)
def card(
    race: str,
    *,
    output: Path | None,
    size: str,
    theme: str,
    template: str,
    title: str,
    force: bool,
    home: Path | None,
) -> None:
    """Draw RACE (a path, an id, its beginning, or `latest`) as a summary card and print the picture's path."""
    form = _form(output)
    if output is not None:
        check_target(output, force=force)  # before the log is read, which may take a while
    path = find_race(race, home_folder(home))

    from racelog_cards.backend import load  # noqa: PLC0415 - as below

    load()
    from racelog.console.loss import tell_loss_met  # noqa: PLC0415 - not needed for --help
    from racelog.console.output import warn  # noqa: PLC0415 - not needed for --help
    from racelog.log.read.library import Log  # noqa: PLC0415 - heavy: numpy and matplotlib come with the drawing
    from racelog.views.summary import log_summary  # noqa: PLC0415 - as above
    from racelog_cards.draw import render  # noqa: PLC0415 - as above
    from racelog_cards.fonts import draws  # noqa: PLC0415 - as above
    from racelog_cards.spec import card_spec  # noqa: PLC0415 - as above
    from racelog_cards.templates import TEMPLATES  # noqa: PLC0415 - as above
    from racelog_cards.wording import undrawable, unseen_emoji  # noqa: PLC0415 - as above

    drawing = TEMPLATES.load(template)  # before the log is read, as above
    with Log(path) as log:
        summary = log_summary(log)
        tell_loss_met(log)
    target = output or Path(f"{_file_name(summary.race_id)}.png")
    check_target(target, force=force)
    spec = card_spec(summary, draws, title=title)
    drawn = [title or summary.name, *(text for lane in summary.lanes for text in (lane.emoji, lane.engine))]
    if lost := undrawable(drawn, draws):
        warn(
            f"no installed font draws {lost}; their Unicode numbers are drawn. For CJK install Noto Sans CJK"
        )
    if lost := unseen_emoji(drawn, draws):
        warn(
            f"no installed font draws {lost}; left out, or named where two names would be one. Install Noto Emoji"
        )
    with TEMPLATES.running(template):
        picture = render(spec, form=form, drawn=lambda: drawing(spec, summary, size=size, theme=theme))
    publish(target, picture, force=force)
    click.echo(target)


def _form(output: Path | None) -> Literal["png", "svg"]:
    suffix = output.suffix.lower() if output else ".png"
    if suffix not in FORMS:
        raise InputError(f"{output}: a card is written as .png or .svg, not {suffix or 'without a suffix'}")
    return cast("Literal['png', 'svg']", FORMS[suffix])


def _file_name(race_id: str) -> str:
    """Return the race id as a file name; an id that could lead out of the folder is not used."""
    return race_id if _PLAIN_NAME.fullmatch(race_id) else "race"
