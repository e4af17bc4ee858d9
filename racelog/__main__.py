"""The program `racelog`, also as ``python -m racelog``: an interrupt while it is still being loaded is a line, too.

Imports nothing at the top but what the interpreter has anyway, so that this begins at once.
"""

import sys


def main() -> None:
    """Load the command line, run it and exit with its code."""
    try:
        from racelog.cli import main as run  # noqa: PLC0415 - a Ctrl+C may come while it loads

        run()
    except KeyboardInterrupt:
        sys.stderr.write("racelog: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
