"""What procedures found: kept, compared, and promoted into a configuration."""
