"""One question a module, one function, one frozen result."""
