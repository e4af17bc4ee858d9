"""From an engine's URL to bytes with their instants of arrival: over the pump, or over httpx."""
