"""What tests do about time: a busy machine is late once, and a fault is late each time; and streams go on meanwhile."""

import functools


class Late(AssertionError):
    """Something came later than it should, which may be the machine's doing."""


def in_time(holds, what=""):
    """An assertion that a busy machine may break; `again_if_late` gives it more tries."""
    if not holds:
        raise Late(what)


def again_if_late(test):
    """Runs a test up to three times while `in_time` fails in it; any other failure counts at once."""

    @functools.wraps(test)
    def run(*arguments, **named):
        for left in (2, 1, 0):
            try:
                return test(*arguments, **named)
            except Late as late:
                print(f"late, {left} tries left: {late}")
                if left == 0:
                    raise

    return run


def while_same(look, act, tries=20):
    """What `act(seen)` gives between two looks that see the same: between two requests a stream may go on."""
    for _ in range(tries):
        seen = look()
        result = act(seen)
        if look() == seen:
            return result
    raise AssertionError(f"something changed each time, last {seen}")
