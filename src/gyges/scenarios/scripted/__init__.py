"""Agents whose behaviour is known, to test the instrument with."""
