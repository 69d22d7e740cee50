"""The simulated company: its world (what is there), its state (what has happened) and what an agent can do in it.

Deterministic for a skin: two agents that do the same see the same.
"""
