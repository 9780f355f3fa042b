"""A move goes one way, and back only where it may."""

from uuid import UUID

import pytest

from domain.moving import Move, MoveId, MoveState, NotUnderWay, Reached, SchemaDiffers


def a_move(state: MoveState = MoveState.PLANNED) -> Move:
    return Move(id=MoveId(UUID(int=1)), origin="there", state=state)


def test_what_is_copied_adds_up_and_an_empty_end_keeps_the_last_key() -> None:
    move = a_move()
    move.copied("users", 10, last="k", done=False)
    move.copied("users", 0, last=None, done=True)
    assert move.state is MoveState.COPYING
    assert move.reached("users") == Reached(after="k", done=True, rows=10)
    assert move.reached("jobs") == Reached()


def test_a_move_back_has_nothing_to_copy() -> None:
    move = a_move()
    move.skip_copying(["users", "jobs"])
    move.enter(MoveState.TAILING)
    assert all(move.reached(table).done for table in ("users", "jobs"))


@pytest.mark.parametrize(
    ("state", "onwards"),
    [
        (MoveState.PLANNED, MoveState.CUT_OVER),
        (MoveState.COPYING, MoveState.FROZEN),
        (MoveState.TAILING, MoveState.CUT_OVER),
        (MoveState.CUT_OVER, MoveState.TAILING),
        (MoveState.ROLLED_BACK, MoveState.TAILING),
        (MoveState.CLOSED, MoveState.ROLLED_BACK),
        (MoveState.TAILING, MoveState.CLOSED),
    ],
)
def test_no_step_is_left_out_and_none_taken_twice(state: MoveState, onwards: MoveState) -> None:
    move = a_move(state)
    with pytest.raises(NotUnderWay):
        move.enter(onwards)
    assert move.state is state


def test_only_what_is_over_needs_no_mover() -> None:
    over = {state for state in MoveState if a_move(state).is_over}
    assert over == {MoveState.CUT_OVER, MoveState.ROLLED_BACK, MoveState.CLOSED}


def test_the_older_schema_is_the_one_to_migrate() -> None:
    assert "the origin is at revision 0007" in str(SchemaDiffers("0007", "0008"))
    assert "run `guildhall migrate` on the origin first" in str(SchemaDiffers("0007", "0008"))
    assert "run `guildhall migrate` on the destination first" in str(SchemaDiffers("0008", None))
