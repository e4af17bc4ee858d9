"""What the player asks of whoever shows it; without one, those keys do nothing."""

from typing import Protocol

from racelog_player.settings.settings import Settings


class Host(Protocol):
    """A terminal with a player on it."""

    def snapshot(self) -> str:
        """Save the screen as it is; return words about it."""
        ...

    def themes(self) -> tuple[str, ...]:
        """Return the names of the themes there are."""
        ...

    def adopt(self, name: str, settings: Settings) -> str:
        """Show by ``settings``, of which ``name`` has changed, and remember it; return why it could not be, or nothing."""
        ...
