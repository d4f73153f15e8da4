"""asyncio_streams.py ADDRESS PORT CONNECT_MS READ_MS: one request by asyncio's streams, with asyncio.wait_for. It says
how it went; exit 0 if it was answered."""
import asyncio
import errno
import sys


def seconds(milliseconds):
    return int(milliseconds) / 1000 or None


async def request(address, port, connect_ms, read_ms):
    reader, writer = await asyncio.wait_for(asyncio.open_connection(address, int(port)), seconds(connect_ms))
    try:
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        return await asyncio.wait_for(reader.read(4096), seconds(read_ms))
    finally:
        writer.close()


try:
    answered = asyncio.run(request(*sys.argv[1:]))
    print("answered" if answered else "end of stream")
except (OSError, asyncio.TimeoutError) as error:
    answered = False
    print(type(error).__name__, errno.errorcode.get(getattr(error, "errno", None), "without errno"))
sys.exit(0 if answered else 1)
