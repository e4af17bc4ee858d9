"""Where races for SQL are looked for: homes, folders and URLs."""
