"""The explorer: a page on which a reader chooses a random net and sees its gradients. `python -m analysis.explorer` writes it."""
