"""Ways in: what other load testers left behind, as a log like any other, marked as imported.

>>> from racelog_recorder.imports import import_results
>>> import_results("profile_export_raw.jsonl", "race.rlog")  # doctest: +SKIP
Imported(path=PosixPath('race.rlog'), race_id='20261121-081346-5b1c0f6e', tool='aiperf', ...)
"""

from racelog_recorder.imports.importing import Imported, SeveralResults, import_every, import_results

__all__ = ["Imported", "SeveralResults", "import_every", "import_results"]
