"""Views: what a fold gives, as frozen typed records that players, cards and commands print."""
