"""Language models and texts: texts as tokens, their settings, and what is measured on trained language models."""
