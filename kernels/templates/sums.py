@kernel
def add_into(sums, target, source, count):
    i = 0
    while i < count:
        store(sums, target + i, load(sums, target + i) + load(sums, source + i))
        i += LENGTH
