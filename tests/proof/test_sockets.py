"""The campaign `sockets` in small: odd conversations with a real server, and servers that must be complained of."""

from tests.proof.sockets.controls import misjudged
from tests.proof.sockets.oddities import oddities
from tests.proof.sockets.serving import serving
from tests.proof.sockets.talking import complaints

EVERY = 13


def test_servers_that_behave_badly_are_complained_of() -> None:
    assert misjudged() == []


def test_odd_bytes_are_no_fault_of_ours() -> None:
    with serving("memory") as served:
        every = list(oddities(served.token))
        heads = [each for each in every if each.name == "method 'HEAD'"]
        found = [said for each in (*heads, *every[::EVERY]) for said in complaints(served.port, each)]
        assert found + served.log_complaints() == []
    assert len({each.name for each in every}) == len(every)
