"""The nodes of a turn: one file, one async function each."""
