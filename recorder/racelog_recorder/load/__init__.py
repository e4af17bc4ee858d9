"""How requests are spaced: one module a shape of load."""
