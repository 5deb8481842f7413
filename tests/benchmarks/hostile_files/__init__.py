"""Files that declare more than they hold, or hold other things than they declare."""
