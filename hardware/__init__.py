"""Device clients: the only sockets on our side of the wire."""
