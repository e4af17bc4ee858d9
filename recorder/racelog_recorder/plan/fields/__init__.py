"""The fields of a plan: one row each, in `race` and `engine`; all else that knows a field goes by its row."""
