"""SQL over logs: the folds' results as DuckDB tables."""
