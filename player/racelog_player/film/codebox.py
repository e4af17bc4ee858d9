"""A letter that no font here draws, as its Unicode number in a cell or two: small, but no two letters look alike. Pure."""

DIGITS = (
    "75557", "26227", "71747", "71717", "55711", "74717", "74757", "71222",
    "75757", "75717", "25755", "65656", "34443", "65556", "74647", "74644",
)  # fmt: skip
"""The sixteen digits, each five rows of three dots: bits of an octal figure."""

WIDE, HIGH, GAP = 3, 5, 1

Box = tuple[int, int, int, int]


def code_boxes(sign: str, cells: int, cell_px: int, row_px: int) -> tuple[Box, ...]:
    """Return the dots of the letter's number as rectangles (left, top, right, bottom) in its ``cells``: two lines of digits."""
    digits = f"{ord(sign):04X}"
    across = -(-len(digits) // 2)
    left = max(0, (cells * cell_px - across * (WIDE + GAP) + GAP) // 2)
    top = (row_px - 2 * HIGH - 2 * GAP) // 2
    boxes: list[Box] = []
    for place, digit in enumerate(digits):
        line, column = divmod(place, across)
        x, y = left + column * (WIDE + GAP), top + line * (HIGH + 2 * GAP)
        boxes += (
            (x + dot, y + row, x + dot + 1, y + row + 1)
            for row, bits in enumerate(DIGITS[int(digit, 16)])
            for dot in range(WIDE)
            if int(bits) >> (WIDE - 1 - dot) & 1
        )
    return tuple(boxes)
