"""Privacy: personal data masked, ids hashed, texts encrypted, old sessions deleted."""
