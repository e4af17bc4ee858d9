"""YAML text -> plain values that know their lines, within bounds. No field of a race is known here.

PyYAML's composer gives nodes with marks; its constructor, which would lose them and can build objects, is used
for single scalars of five harmless kinds only. An alias is followed, but what it unfolds to is counted, so a few
lines cannot become a billion values.
"""

from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from racelog.errors import PlanError
from racelog_recorder.redaction import shown

MAX_VALUES = 500_000
"""Values in one document, aliases unfolded: five times the largest list of prompts."""

MAX_DEPTH = 32

_TAG = "tag:yaml.org,2002:"
_SCALARS = frozenset(_TAG + kind for kind in ("null", "bool", "int", "float", "str"))
_NUMBERS = frozenset({_TAG + "int", _TAG + "float"})
_MERGE = _TAG + "merge"
_AS_WRITTEN = frozenset({_TAG + "timestamp", _TAG + "value"})


@dataclass(frozen=True, slots=True)
class Located:
    """One value and where it stands: a scalar, a list or a dict of `Located`.

    ``key_line`` is the line of the field's name; elsewhere that of the value itself.
    """

    value: Any
    line: int
    key_line: int

    def plain(self) -> Any:
        """Return the value without its places."""
        if isinstance(self.value, dict):
            return {name: item.plain() for name, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value


def read_yaml(text: str, source: str) -> Located:
    """Return the one document in ``text``.

    Raises:
        PlanError: it is not one YAML document of mappings, lists and plain scalars, or goes beyond the bounds; the
            message names ``source`` and the line.
    """
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        code = ord(text[error.position])
        raise PlanError(f"{source}:{line}: the character U+{code:04X} is not allowed in YAML") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise PlanError(f"{source}:{line}: not valid YAML: {error.problem or error.context}") from None
    except RecursionError:
        raise PlanError(f"{source}:1: nested deeper than {MAX_DEPTH} levels") from None
    if node is None:
        raise PlanError(f"{source}:1: the file is empty; it needs at least one engine")
    return _Walk(source, loader).value(node, node.start_mark.line + 1)


class _Walk:
    """Turns nodes into `Located`, counting."""

    def __init__(self, source: str, loader: yaml.SafeLoader) -> None:
        self._source = source
        self._loader = loader
        self._left = MAX_VALUES
        self._depth = 0

    def value(self, node: yaml.Node, key_line: int) -> Located:
        line = node.start_mark.line + 1
        self._left -= 1
        if self._left < 0:
            self._fail(line, f"more than {MAX_VALUES:,} values, aliases unfolded")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(line, f"nested deeper than {MAX_DEPTH} levels")
        found: Any
        if isinstance(node, yaml.MappingNode):
            found = self._mapping(node)
        elif isinstance(node, yaml.SequenceNode):
            found = [self.value(item, item.start_mark.line + 1) for item in node.value]
        else:
            assert isinstance(node, yaml.ScalarNode)  # a document has no fourth kind
            found = self._scalar(node)
        self._depth -= 1
        return Located(found, line, key_line)

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Located]:
        """Return a mapping's fields; those merged in by ``<<`` yield to its own."""
        merged: dict[str, Located] = {}
        own: dict[str, Located] = {}
        for key, item in node.value:
            line = key.start_mark.line + 1
            if key.tag == _MERGE:
                merged = {**self._merged(item, line), **merged}
                continue
            name = self._scalar(key) if isinstance(key, yaml.ScalarNode) else None
            if not isinstance(name, str):
                self._fail(
                    line, f"a field's name must be text, not {shown(name or key.value)}; put it in quotes"
                )
            if name in own:
                self._fail(line, f"{shown(name)} is given twice, first on line {own[name].key_line}")
            own[name] = self.value(item, line)
        return {**merged, **own}

    def _merged(self, node: yaml.Node, line: int) -> dict[str, Located]:
        """Return the fields that ``<<: *one`` or ``<<: [*one, *two]`` brings; the first of several wins."""
        found = self.value(node, line)
        parts = found.value if isinstance(found.value, list) else [found]
        fields: dict[str, Located] = {}
        for part in parts:
            if not isinstance(part.value, dict):
                self._fail(
                    line, "'<<' merges mappings only; write '<<: *name' with an anchor '&name' on a mapping"
                )
            fields = {**part.value, **fields}
        return fields

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        if node.tag in _AS_WRITTEN:
            return node.value
        line = node.start_mark.line + 1
        if node.tag not in _SCALARS:
            self._fail(
                line, f"the YAML tag {shown(node.tag.replace(_TAG, '!!'))} is not allowed; write plain text"
            )
        if node.tag in _NUMBERS and ":" in node.value:
            self._fail(
                line,
                f"{shown(node.value)} would be a number to the base 60 in YAML; write a span of time as '1h30m', and text in quotes",
            )
        try:
            return self._loader.construct_object(node)
        except (ValueError, KeyError, yaml.YAMLError):
            self._fail(line, f"{shown(node.value)} is not a number that can be read; put text in quotes")

    def _fail(self, line: int, why: str) -> NoReturn:
        raise PlanError(f"{self._source}:{line}: {why}")
