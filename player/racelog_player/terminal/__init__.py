"""Styled lines in terminal cells, and the colours they are drawn in."""
