"""Which entries does one tar stream hold, and what do they say? By the rules of Go's archive/tar, which runtimes read with."""
