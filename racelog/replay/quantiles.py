"""Quantiles as DuckDB's ``quantile_cont`` and numpy's default define them, so that every view agrees."""

from collections.abc import Sequence


def quantile(ordered: Sequence[float], q: float) -> float | None:
    """Return the ``q`` quantile of values in ascending order, interpolated linearly; None when there are none.

    Type 7 of Hyndman & Fan, "Sample Quantiles in Statistical Packages" (1996): at rank ``q * (n - 1)``.
    """
    if not ordered:
        return None
    rank = q * (len(ordered) - 1)
    below = int(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (rank - below)


def median(ordered: Sequence[float]) -> float | None:
    """Return the middle of values in ascending order, or None when there are none."""
    return quantile(ordered, 0.5)
