"""Who is tested: the embedded model and the scripted agents whose true outcome is known, as Inspect providers."""
