"""The defaults of fields, as the Structs of `racelog_recorder.plan.model` have them and as people read them."""

from typing import Any

import msgspec

from racelog_recorder.plan.fields.row import Field, in_words


def default_of(row: Field, struct: type[msgspec.Struct]) -> Any:
    """Return the default of a row's attribute: that of ``struct``, or of the Struct inside it that has the attribute.

    None where there is none.
    """
    *outer, last = row.path
    for name in outer:
        struct = _inner_struct(struct, name)
    field = next(field for field in msgspec.structs.fields(struct) if field.name == last)
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return None if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def written_default(row: Field, struct: type[msgspec.Struct]) -> Any:
    """Return the default as a file would say it; None where there is none, or it says nothing."""
    default = default_of(row, struct)
    return None if default in (None, "", (), {}) or row.otherwise else row.kind.write(default)


def default_text(row: Field, struct: type[msgspec.Struct]) -> str:
    """Return what holds without the field, in words with `code` in backticks; empty for nothing worth a word."""
    if row.otherwise:
        return row.otherwise
    written = written_default(row, struct)
    return "" if written is None else f"`{in_words(written)}`"


def _inner_struct(struct: type[msgspec.Struct], name: str) -> type[msgspec.Struct]:
    """Return the Struct among the types of an attribute."""
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    (kept,) = [field.type for field in info.fields if field.name == name]
    choices = kept.types if isinstance(kept, msgspec.inspect.UnionType) else (kept,)
    (inner,) = [choice.cls for choice in choices if isinstance(choice, msgspec.inspect.StructType)]
    return inner
