"""Where steps run: in this process, in others, on Ray."""
