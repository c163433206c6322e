import hashlib

import nacl.bindings

from meshcoop.ingest.waiting_pool import WaitingPool
from protocol.record import envelope as record
from protocol.record.envelope import Header


def waiting(who, seq, size=10):
    seed = hashlib.sha256(who.encode()).digest()
    device = nacl.bindings.crypto_sign_seed_keypair(seed)[0]
    content = bytes(size)
    prev = None if seq == 1 else bytes([seq % 256]) * 32
    header = Header(
        record.VERSION, device, seq, prev, seq, None, [], 0, size, record.content_digest(content)
    )
    return record.sign(header, content, b"n" * 32, seed)


def test_what_is_added_twice_waits_once():
    pool = WaitingPool()
    one = waiting("ada", 3)
    pool.add(one)
    pool.add(one)
    assert len(pool) == 1
    assert one.id in pool
    assert pool.devices() == {one.header.device}
    assert pool.take_ready(lambda _: True) == [one]
    assert len(pool) == 0
    assert one.id not in pool
    assert not pool.devices()


def test_a_run_leaves_together_and_in_log_order():
    pool = WaitingPool()
    run = [waiting("ada", seq) for seq in (5, 3, 4, 7)]
    for one in run:
        pool.add(one)
    found = pool.take_ready(lambda one: one.header.seq <= 3)
    assert [one.header.seq for one in found] == [3, 4, 5]
    assert len(pool) == 1


def test_the_number_of_waiting_records_is_bounded():
    pool = WaitingPool(max_records=10, max_bytes=10**9)
    for seq in range(1, 100):
        pool.add(waiting("flood", seq))
        assert len(pool) <= 10


def test_the_bytes_of_waiting_records_are_bounded():
    pool = WaitingPool(max_records=10**6, max_bytes=50_000)
    records = [waiting("flood", seq, size=9000) for seq in range(1, 30)]
    for one in records:
        pool.add(one)
        held = [one for one in records if one.id in pool]
        assert sum(9000 for _ in held) <= 50_000


def test_a_flood_of_one_device_pushes_out_its_own_records_first():
    pool = WaitingPool(max_records=10, max_bytes=10**9)
    honest = [waiting("ada", seq) for seq in (2, 3)]
    for one in honest:
        pool.add(one)
    for seq in range(1, 200):
        pool.add(waiting("flood", seq))
    assert all(one.id in pool for one in honest)


def test_a_flood_of_large_records_does_not_push_out_many_small_ones():
    pool = WaitingPool(max_records=10**6, max_bytes=100_000)
    honest = [waiting("ada", seq) for seq in range(2, 22)]
    for one in honest:
        pool.add(one)
    for seq in range(1, 40):
        pool.add(waiting("flood", seq, size=12_000))
    assert all(one.id in pool for one in honest)
