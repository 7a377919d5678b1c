"""The identity of the code behind a result: stored with it, so that a launch notices when the code has changed."""
