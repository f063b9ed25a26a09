from kernels.atomic import fetch_add, pause
from kernels.compilation import kernel


@kernel
def wait_for_change(counters, index, seen, turns):
    """Watch counters[index], at most so many turns of a loop; whether it came to differ from what was seen."""
    for _ in range(turns):
        if fetch_add(counters, index, 0) != seen:
            return True
        for _ in range(16):
            pause()
    return False
