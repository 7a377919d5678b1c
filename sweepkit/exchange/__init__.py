"""Exchange with other programs: launches as files that a person or a program writes."""
