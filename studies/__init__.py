"""Job lists of studies: one text file per study, and the command that runs it."""
