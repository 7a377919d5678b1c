"""Answers of a command that computes nothing: the preview of a dry run, and help and lists from kept declarations."""
