"""Language models: the embedded one as an Inspect provider, checkpoints on disk, and likelihoods."""
