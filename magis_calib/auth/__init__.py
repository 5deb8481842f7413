"""Who may speak at which socket.

Keys, the list of whom to let in, and the locks on the sockets themselves.
"""
