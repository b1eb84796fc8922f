"""From IR to running code: names, text, loading, compiling."""
