"""SQL over past races, asked one after another."""
