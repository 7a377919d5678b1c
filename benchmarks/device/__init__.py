"""The lab on one accelerator: finding it, its cases, the agreement of its numbers with a CPU's, and its page."""
