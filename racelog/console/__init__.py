"""What commands print and read: tables, plots, progress, arguments and choices."""
