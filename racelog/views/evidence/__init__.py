"""Whether a race's numbers can be trusted: the recorder's own health, and how the load was made."""
