"""Servers that behave badly, on which the harness must complain."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.proof.sockets.oddities import Oddity
from tests.proof.sockets.talking import complaints

Behaviour = Callable[[socket.socket, int], bool]
"""Handles one connection, given its number; whether to go on listening."""

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
ASKED = Oddity("a control", (b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",), frozenset({200}))


def _answering(first: bytes | None, then: bytes | None = FINE) -> Behaviour:
    def behave(line: socket.socket, number: int) -> bool:
        line.recv(65536)
        said = first if number == 0 else then
        if said is None:
            with suppress(OSError):
                line.recv(1)  # says nothing until the client has had enough
        else:
            line.sendall(said)
        return True

    return behave


def _dying(line: socket.socket, number: int) -> bool:
    line.recv(65536)
    line.sendall(FINE)
    return False


CONTROLS: dict[str, tuple[Behaviour, bool]] = {
    "answers honestly": (_answering(FINE), False),
    "answers 500": (_answering(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"), True),
    "answers what nobody expects": (_answering(b"HTTP/1.1 207 Hm\r\nContent-Length: 0\r\n\r\n"), True),
    "says nothing": (_answering(None), True),
    "hangs for the next": (_answering(FINE, None), True),
    "dies of it": (_dying, True),
}
"""How a server behaves, and whether there is something to complain about."""


def misjudged() -> list[str]:
    """Behaviours about which the harness is wrong; there should be none."""
    wrong = []
    for name, (behave, bad) in CONTROLS.items():
        with behaving(behave) as port:
            if bool(complaints(port, ASKED, patience=0.4)) is not bad:
                wrong.append(name)
    return wrong


@contextmanager
def behaving(behave: Behaviour) -> Iterator[int]:
    """A server of that behaviour; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_listen, args=(listening, behave), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _listen(listening: socket.socket, behave: Behaviour) -> None:
    number = 0
    with suppress(OSError):
        while True:
            line, _ = listening.accept()
            with line:
                if not behave(line, number):
                    listening.close()
                    return
            number += 1
