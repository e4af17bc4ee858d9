"""How values read and look on every screen, card, page and line: text made inert, widths, numbers, signs, colours."""
