"""socket_settimeout.py ADDRESS PORT CONNECT_MS READ_MS [user_timeout=MS|keepalive|fill=MS]: one request by the socket
module, with socket.settimeout. It says how it went; exit 0 if it was answered."""
import errno
import socket
import sys


def seconds(milliseconds):
    return int(milliseconds) / 1000 or None


def set_extra(connection, extra):
    if extra == "keepalive":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 1)
    elif extra:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(extra.split("=")[1]))


def request(address, port, connect_ms, read_ms, extra=""):
    with socket.socket() as connection:
        set_extra(connection, extra)
        connection.settimeout(seconds(connect_ms))
        connection.connect((address, int(port)))
        connection.settimeout(seconds(read_ms))
        while extra.startswith("fill="):
            connection.sendall(b"x" * 65536)
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return connection.recv(4096)


try:
    answered = request(*sys.argv[1:])
    print("answered" if answered else "end of stream")
except OSError as error:
    answered = False
    print(type(error).__name__, errno.errorcode.get(error.errno, "without errno"))
sys.exit(0 if answered else 1)
