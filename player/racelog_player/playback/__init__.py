"""Where a replay stands, and where its events come from."""
