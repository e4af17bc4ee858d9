"""Serving: a recorded race becomes endpoints again, with its own words at its own times."""
