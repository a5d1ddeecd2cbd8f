"""The stage: scripted dialogues, checks and measurements."""
