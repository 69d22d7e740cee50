"""Scenario packs: folders of text, read, checked and rendered."""
