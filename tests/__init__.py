"""Tests; a package so that helpers are imported as ``tests.core.strategies`` and no stray ``tests`` shadows them."""
