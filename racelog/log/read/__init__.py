"""The ways to read a log: whole, a stretch, as it grows, as it flows by, or exactly.

Which one to use (the same table, and the pairs that look alike, in docs/architecture.md):

| you want | use | it gives | memory |
| --- | --- | --- | --- |
| a log in a program | `library.Log`, which is `racelog.open` | what you select, typed, in time order; only the units needed are decoded | what you keep |
| all events of a race, to fold them | `reader.open_log` | a list in time order, and a report of what is missing | the whole log |
| a stretch of a long race | `index.LogIndex` | the units that overlap the stretch, from the trailers alone | a span a unit |
| a log that grows, for a live view | `follow.LogFollower` | at each poll what was committed since the last | one poll |
| a log that grows, from where another process stopped | `resume.read_onward` | what was committed since a place that was noted; only from a folder as the recorder writes it | what is new |
| a log from a pipe | `stream.LogStream` | events unit by unit, not sorted across units | one unit |
| to write a log anew | `exact.gather` | every event, with fields that this racelog does not know, and where each unit lay | the whole log |
| to prove that a log was written well | `exact.exact_events` | the same events, one unit after another | one unit |
| the newest facts of a long race | `backward.walk_back` | verified units, the last first | one unit |
"""
