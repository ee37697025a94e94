"""How a call travels: cancellation, deadlines, and threads for async callers."""
