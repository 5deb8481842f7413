"""The threads of a run: receive, record, work, and what stands beside them."""
