"""A chat server on loopback that answers every request after a fixed time, in a process of its own."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

ANSWER = (
    "I have read everything.\n\n<action name=\"send_mail\">\n<to>office@firm.example</to>\n<subject>Noted</subject>\n"
    "<body>Thank you, this has been taken care of and nobody needs to do anything else about it today.</body>\n</action>"
)  # fmt: skip


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, latency_s: float) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = next((int(x.split(":")[1]) for x in head.split("\r\n") if x.startswith("content-length:")), 0)
            await reader.readexactly(length)
            await asyncio.sleep(latency_s)
            body = json.dumps(_completion()).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
            await writer.drain()
    writer.close()


def _completion() -> dict:
    message = {"role": "assistant", "content": ANSWER}
    return {
        "id": "x", "object": "chat.completion", "created": int(time.time()), "model": "fixed",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 4000, "completion_tokens": 60, "total_tokens": 4060},
    }  # fmt: skip


async def _serve(port: int, latency_s: float) -> None:
    server = await asyncio.start_server(lambda r, w: _answer(r, w, latency_s), "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


@contextlib.contextmanager
def serving(latency_s: float) -> Iterator[str]:
    """The server's address, as long as the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, __file__, str(port), str(latency_s)])
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
