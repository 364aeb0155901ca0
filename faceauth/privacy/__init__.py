"""What may people ask for? Export, erasure and retention."""
