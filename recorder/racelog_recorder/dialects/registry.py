"""Which dialects there are: ours by one entry each below, anybody's by the entry-point group ``racelog.dialects``.

Ours are found first and at once; the others are looked up when a name is not one of ours, or when all are listed.
"""

from racelog_recorder.dialects import ollama, openai

BUILTIN = {dialect.name: dialect for dialect in (openai.CHAT, openai.COMPLETIONS, ollama.OLLAMA)}
"""The dialects that come with racelog, by name."""

DEFAULT_DIALECT = openai.CHAT.name

DIALECTS = BUILTIN
