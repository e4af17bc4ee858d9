"""The diffs of the how-tos, applied to a copy of the sources."""

import re
from pathlib import Path


def apply(text: str, root: Path) -> list[str]:
    """Apply every ```diff block of ``text`` to the files under ``root``; return their paths.

    A hunk's lines must stand exactly once in the file. After ``/dev/null`` the file is new.
    """
    changed = []
    for block in re.findall(r"^```diff\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        (path,) = re.findall(r"^\+\+\+ b/(.+)$", block, re.MULTILINE)
        target = root / path
        source = "" if "--- /dev/null" in block else target.read_text(encoding="utf-8")
        for hunk in re.split(r"^@@.*\n", block, flags=re.MULTILINE)[1:]:
            lines = hunk.splitlines(keepends=True)
            old, new = ("".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +"))
            assert not old or source.count(old) == 1, f"{path} has no longer one place for:\n{hunk}"
            source = source.replace(old, new) if old else new
        target.write_text(source, encoding="utf-8")
        changed.append(path)
    return changed
