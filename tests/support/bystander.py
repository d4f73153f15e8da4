#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A process that goes by another's name and has a TCP connection.

bystander.py NAME accept ADDRESS PORT_FILE [COMMAND...]  holds the first connection that it accepts while COMMAND runs, or
                                                       until it is ended
bystander.py NAME connect ADDRESS PORT                 holds a connection until it is ended
"""
import ctypes
import os
import signal
import socket
import subprocess
import sys

PR_SET_NAME = 15

name, mode, address, where, *command = sys.argv[1:]
ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode())
if mode == "accept":
    listener = socket.create_server((address, 0))
    with open(where + ".new", "w", encoding="ascii") as file:
        file.write(str(listener.getsockname()[1]))
    os.rename(where + ".new", where)
    connection, _ = listener.accept()
    if command:
        sys.exit(subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode)
else:
    connection = socket.create_connection((address, int(where)))
signal.pause()
