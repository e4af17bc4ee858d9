"""Columns taken apart into facts, and facts put together. Pure."""
