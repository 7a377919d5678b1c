"""The speed of the lab beside other libraries, as ratios measured side by side."""
