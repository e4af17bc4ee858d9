"""The database that a query sees, and one reading statement on it."""
