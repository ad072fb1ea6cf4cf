"""Which named blobs does the input hold? An outer tar (in place, or passing once) or a folder; nothing is unpacked."""
