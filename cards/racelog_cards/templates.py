"""What a card can look like: templates by name, entry points of racelog's own and of other packages."""

from typing import Any, Protocol

from racelog.plugins import Group, a_function
from racelog.views.summary import RaceSummary
from racelog_cards.spec import CardSpec

GROUP = "racelog.card_templates"
STANDARD = "standard"


class Template(Protocol):
    """Draws a card: what it says is in ``spec``, every number of the race in ``summary``.

    ``size`` is a key of `racelog_cards.theme.SIZES_PX`, ``theme`` of `racelog_cards.theme.THEMES`. Returns a
    `matplotlib.figure.Figure` of 72 dots an inch and exactly that size; equal arguments give equal pictures.
    """

    def __call__(self, spec: CardSpec, summary: RaceSummary, *, size: str, theme: str) -> Any:
        """Return the card as a Figure."""
        ...


TEMPLATES: Group[Template] = Group(GROUP, a_function("draw(spec, summary, *, size, theme) -> Figure"))
"""Name -> what draws the card."""
