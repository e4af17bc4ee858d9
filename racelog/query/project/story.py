"""A race's story as columns: anomalies, commentary, insights and achievements, as the rules in `racelog.views.story` give them."""

from collections.abc import Sequence
from typing import Any

from racelog.clock import NS_PER_S
from racelog.query.contract.tables import TABLES
from racelog.replay.race import RaceTracks
from racelog.views.story.engine import Story, story

LONGEST_STORY_S = 7 * 86_400
"""The rules look at every second; a log that claims more than a week (one bad stamp is enough) has no story."""

Row = dict[str, Any]


def story_batches(race_id: str, tracks: RaceTracks) -> list[tuple[str, dict[str, list[Any]]]]:
    """Return the four tables' columns. Cost: one fold, and one look at every second of the race."""
    if tracks.duration_ns() > LONGEST_STORY_S * NS_PER_S:
        return []
    return told_batches(race_id, story(tracks))


def told_batches(race_id: str, told: Story) -> list[tuple[str, dict[str, list[Any]]]]:
    """Return the four tables' columns of what was told."""
    anomalies = [
        _said(row)
        | {
            "kind": row.kind,
            "request_id": row.req,
            "before": row.before,
            "now": row.now,
            "unit": row.unit,
            "causes": "; ".join(row.causes) or None,
            "advice": row.advice or None,
        }
        for row in told.anomalies
    ]
    comments = [_said(row) | {"key": row.key, "tone": row.tone, "level": row.level} for row in told.comments]
    insights = [
        _said(row)
        | {
            "share": row.share,
            "category": row.category,
            "priority": row.priority,
            "reason": row.reason or None,
        }
        for row in told.insights
    ]
    achievements = [
        {
            "lane_id": row.lane,
            "key": row.key,
            "name": row.name,
            "category": row.category,
            "unlocked_at_ns": row.unlocked_at_ns,
            "progress": row.progress,
            "unlocked_position_s": _seconds(row.position_ns),
            "rule": row.told,
        }
        for row in told.achievements
    ]
    tables = {
        "anomalies": anomalies,
        "commentary": comments,
        "insights": insights,
        "achievements": achievements,
    }
    return [(table, _columns(table, race_id, rows)) for table, rows in tables.items()]


def _said(row: Any) -> Row:
    """Return what anomalies, comments and insights have in common."""
    return {
        "lane_id": row.lane,
        "t_ns": row.t_ns,
        "position_s": _seconds(row.position_ns),
        "text": row.text,
    }


def _seconds(position_ns: int | None) -> float | None:
    return None if position_ns is None else position_ns / NS_PER_S


def _columns(table: str, race_id: str, rows: Sequence[Row]) -> dict[str, list[Any]]:
    return {
        column.name: [race_id if column.name == "race_id" else row[column.name] for row in rows]
        for column in TABLES[table]
    }
