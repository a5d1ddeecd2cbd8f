"""The terminal: a view over the events of a turn. No business rule lives here."""
