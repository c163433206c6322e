"""Chooses the epoch that fits a second time, from the text of specs/03 alone (R-03.8c, R-03.33b)."""


def plain_choice(usable, people, devices, live_boxes):
    """Returns the epoch that a home writes with, or None. `usable` are the epochs that count, whose
    keys the home holds and whose slots are all right. `people` and `devices` are the names of those
    who are gone.
    """
    best = None
    for epoch in usable:
        if any(name not in epoch.names for name in people):
            continue  # somebody who is gone may hold the key
        if any(name not in people and name not in devices for name in epoch.names):
            continue  # somebody who belongs here would not get the key
        named = sum(1 for name in devices if name in epoch.names)
        readers = sum(1 for box in live_boxes if box in epoch.boxes)
        if best is None or better(named, readers, epoch, best):
            best = (named, readers, epoch)
    return best and best[2]


def better(named, readers, epoch, best):
    if named != best[0]:
        return named > best[0]
    if readers != best[1]:
        return readers > best[1]
    return epoch.key_id < best[2].key_id
