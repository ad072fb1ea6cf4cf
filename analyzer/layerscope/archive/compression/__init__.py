"""What is inside compressed bytes? Every member and frame, as they come, in constant memory."""
