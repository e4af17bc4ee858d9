"""The rows of a race that still grows: what has settled is kept, and only what came since is folded."""
