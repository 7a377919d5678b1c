"""The lab beside its peers, as ratios measured side by side; and what it does when things go wrong."""
