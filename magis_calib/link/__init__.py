"""Bytes to messages, pairing by drop, and the bounded hand-over between threads."""
