"""A race as it was asked for, from a file or from flags."""
