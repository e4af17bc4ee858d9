"""Keys as the user wants them: a preset by name, or a TOML file that starts from one. Reads that file, nothing else."""

import difflib
import tomllib
from pathlib import Path

from racelog.errors import InputError
from racelog_player.settings.keys import KEYS, PRESETS, Do, KeyMap

_NAMES = {"space": " ", "tab": "c-i", "backspace": "c-h", "enter": "c-m", "esc": "escape"}
_ACTIONS = {do.word: do for do in Do if do not in (Do.YES, Do.NO, Do.INTERRUPT)}


def key_map(wanted: str) -> KeyMap:
    """Return the keys that ``wanted`` names: a preset, or the path of a TOML file.

    Such a file may say ``base = "mpv"``, and binds under ``[keys]``: ``x = "pause"``, ``"c-r" = "start"``,
    ``space = ""`` to take a key away. Ctrl+C always leaves.

    Raises:
        InputError: no such preset or file, no TOML, or an action there is not.
    """
    if wanted in PRESETS:
        return KEYS | PRESETS[wanted]
    path = Path(wanted).expanduser()
    if not path.is_file():
        raise InputError(f"no keys {wanted!r}; give one of {', '.join(PRESETS)}, or a TOML file")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML: {error}") from None
    base = document.get("base", "default")
    if base not in PRESETS:
        raise InputError(f"{path}: base is {base!r}; give one of {', '.join(PRESETS)}")
    bindings = document.get("keys", {})
    if not isinstance(bindings, dict):
        raise InputError(f'{path}: keys is not a table; write [keys] and then lines like x = "pause"')
    return _bound(KEYS | PRESETS[base], bindings, path)


def _bound(keys: KeyMap, bindings: dict[str, object], path: Path) -> KeyMap:
    """Return ``keys`` with a file's bindings over them."""
    for key, action in bindings.items():
        name = _NAMES.get(key, key)
        if action == "":
            keys.pop(name, None)
        elif isinstance(action, str) and action in _ACTIONS:
            keys[name] = _ACTIONS[action]
        else:
            near = difflib.get_close_matches(str(action), _ACTIONS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(_ACTIONS)}"
            raise InputError(f"{path}: {key} = {action!r} is not an action; {hint}")
    return keys | {"c-c": Do.INTERRUPT, "<sigint>": Do.INTERRUPT}
