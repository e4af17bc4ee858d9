"""What a recording says to the people who wait for it, on standard error; standard output stays for the result."""

from contextlib import suppress

import click

from racelog.display.text import printable


def tell(text: str) -> None:
    """Print a line for people who wait.

    Whoever watched may be gone (a closed terminal, ``| head``): the recording goes on.
    """
    with suppress(OSError):
        click.echo(printable(text, newline="\n"), err=True)


class Voice:
    """Tells what happens in a race, but never across a view: ``quiet`` for as long as one has the terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet

    def __call__(self, text: str) -> None:
        """Tell ``text``, unless a view would be written across."""
        if not self.quiet:
            tell(text)
