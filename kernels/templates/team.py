# What a team of threads does without the interpreter: callers put jobs on a board, workers that watch it join in. The
# header binds ENTRY, INSIDE, TOLD, and `called`. A job is a function of arrays, of which the first three are what it
# reads, what it writes, and counters that all who work on it share. The board holds for each job:
#
#   STATE   places that workers may still take, and INSIDE for each worker that is at work on it
#   OWNED   1 from when a caller takes this entry of the board until it has left
#   CODE    the function, COUNT its arrays, WORDS where the integers lie that tell of them: the caller's first, then
#           those of each place
STATE, OWNED, CODE, COUNT, WORDS = range(5)


@kernel
def watch(board, turns):
    """Join in jobs until there was none for so many turns of a loop."""
    turn = 0
    while turn < turns:
        if joined(board):
            turn = 0
            continue
        for _ in range(16):
            pause()
        turn += 1


@kernel
def joined(board):
    """Whether there was a place in a job; then the work is done."""
    for entry in range(0, len(board), ENTRY):
        state = seen(board, entry + STATE)
        place = state % INSIDE
        if place > 0 and put_if(board, entry + STATE, state, state - 1 + INSIDE):
            count = board[entry + COUNT]
            called(board[entry + CODE], board[entry + WORDS] + 8 * place * TOLD * count, count)
            fetch_add(board, entry + STATE, -INSIDE)
            return True
    return False


@kernel
def work_off(board, code, count, words, threads, x, y, turns):
    """Work on a job with up to threads - 1 others, and return when all have left it: they use the caller's arrays.

    words tells of the arrays of each thread but for the first three, and ends with the counters, which are zeros.
    """
    place, each = address_of(words), TOLD * count
    shared = threads * each
    for at in range(0, shared, each):
        words[at], words[at + 1], words[at + 2] = address_of(x), len(x), x.itemsize
        words[at + 3], words[at + 4], words[at + 5] = address_of(y), len(y), y.itemsize
        words[at + 6], words[at + 7], words[at + 8] = place + 8 * shared, len(words) - shared, 8
    entry = -1
    if threads > 1:
        for free in range(0, len(board), ENTRY):
            if put_if(board, free + OWNED, 0, 1):
                entry = free
                break
    if entry >= 0:
        board[entry + CODE], board[entry + COUNT], board[entry + WORDS] = code, count, place
        fetch_add(board, entry + STATE, threads - 1)
    called(code, place, count)
    if entry < 0:
        return
    while True:
        state = seen(board, entry + STATE)
        if put_if(board, entry + STATE, state, state - state % INSIDE):
            break
    turn = 0
    while seen(board, entry + STATE) > 0:
        if turn < turns:
            pause()
            turn += 1
        else:  # they may be waiting for this core
            give_way()
    fetch_add(board, entry + OWNED, -1)
