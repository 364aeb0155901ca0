"""Which browser is this? Browsers that remember a username."""
