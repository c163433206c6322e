"""Reads the files of specs/09 that people carry by hand: records, or a list of what a node
holds.
"""

from tests.specs.stranger.codec import Frames, frame, need, within

_MOST = {b"bundle": 1_073_741_824, b"have": 4_194_304}


def write(lists, place, sort):
    count = sum(map(len, lists))
    frames = [frame([0, 2, place]), *(frame([1, one]) for one in lists), frame([2, count])]
    return b"meshcoop " + sort + b"\n" + b"".join(frames)


def read(data, place, sort):
    """Reads a file. Returns the entries of all its lists together."""
    mark = b"meshcoop " + sort + b"\n"
    need(data.startswith(mark), "R-09.1")
    need(len(data) <= _MOST[sort], "R-09.4")
    frames, found, said, ended = Frames(), [], [], False
    for one in frames.feed(data[len(mark) :]):
        need(not ended, "R-09.5")
        if not said:
            need(one[0] == 0 and len(one) > 1 and type(one[1]) is int, "R-09.1")
            need(one[1] == 2, "R-09.2")
            need(one[2:] == [place], "R-09.3")
        else:
            need(one[0] in {1, 2} and len(one) == 2, "R-09.1")
            ended = one[0] == 2
            need(type(one[1]) is (int if ended else list), "R-09.1")
            need(not ended or one[1] == len(found), "R-09.5")
            found += [] if ended else _items(one[1], sort)
        said.append(one)
    need(ended and not frames.rest, "R-09.5")
    return found


def _items(items, sort):
    if sort == b"bundle":
        need(items and all(type(one) is bytes for one in items), "R-09.1")
        return items
    need(len(items) % 4 == 0, "R-05.5")
    for at in range(0, len(items), 4):
        device, number, head, mark = items[at : at + 4]
        need(within(device, bytes, 8) and within(number, int, 0, 2**64), "R-05.5")
        need(within(head, bytes, 0, 8) and within(mark, bytes, 0, 8), "R-05.5")
    return items
