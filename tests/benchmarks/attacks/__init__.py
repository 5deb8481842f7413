"""Attacks on the sockets of a running application and its controllers, while the loop goes on."""
