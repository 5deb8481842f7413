"""The pictures of both views, with fit, levels and marks."""
