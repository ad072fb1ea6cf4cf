"""Which images are in a container, and which of them is meant? One module a layout."""
