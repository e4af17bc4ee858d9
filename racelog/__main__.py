"""``python -m racelog`` is ``racelog``."""

from racelog.cli import main

if __name__ == "__main__":
    main()
