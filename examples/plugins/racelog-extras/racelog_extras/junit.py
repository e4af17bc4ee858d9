"""A race as JUnit XML: each lane a suite, each request a test, so that a CI shows what failed and how long it took."""

from pathlib import Path
from xml.etree import ElementTree as ET

from racelog.display.text import printable
from racelog.export.single import write_single
from racelog.export.source import Source

REQUESTS = """
select lane_id, engine, request_id, requests.status, error_kind, error_message, e2e_ms
from requests join lanes using (race_id, lane_id) where phase = 'race' order by lane_id, request_id
"""


def write(source: Source, folder: Path, form: str, *, force: bool = False) -> list[Path]:
    """Write ``<race id>.junit.xml``."""
    return write_single(
        source,
        folder,
        f"{form}.xml",
        lambda: ET.tostring(document(source), "utf-8", xml_declaration=True),
        force=force,
    )


def document(source: Source) -> ET.Element:
    """Return the document; a request that was cancelled or is open was skipped."""
    suites = ET.Element("testsuites", name=printable(source.summary.name))
    lanes: dict[int, ET.Element] = {}
    for row in source.rows(REQUESTS):
        if row["lane_id"] not in lanes:
            lanes[row["lane_id"]] = ET.SubElement(suites, "testsuite", name=printable(row["engine"]))
        case = ET.SubElement(
            lanes[row["lane_id"]], "testcase", classname=printable(row["engine"]), name=f"request {row['request_id']}",
            time=f"{(row['e2e_ms'] or 0) / 1000:.6f}",
        )  # fmt: skip
        if row["status"] == "failed":
            why = printable(row["error_message"] or row["error_kind"] or "failed")
            ET.SubElement(case, "failure", type=printable(row["error_kind"] or "failed"), message=why)
        elif row["status"] != "ok":
            ET.SubElement(case, "skipped", message=row["status"])
    return suites
