"""The same programs in other tools, as their documents say to write them."""
