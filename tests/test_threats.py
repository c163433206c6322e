"""Names a test for each thing that an attacker would try first. Each of the named tests must still
exist.
"""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent

CODEC, RECORD, SEAL = (
    "protocol/record/test_codec.py",
    "protocol/record/test_envelope.py",
    "protocol/record/test_sealing.py",
)
SYNC, TEXT = "protocol/wire/test_sync_session.py", "protocol/test_display_text.py"
GUARD, PUBSUB, SWARM = (
    "meshcoop/network/test_fault_guard.py",
    "meshcoop/network/test_gossipsub.py",
    "meshcoop/network/test_swarm.py",
)
INBOX, POOL, MEETING = (
    "meshcoop/ingest/test_inbox.py",
    "meshcoop/ingest/test_waiting_pool.py",
    "meshcoop/ingest/test_convergence.py",
)
PRIVATE, CIRCLES, DISK = (
    "meshcoop/fold/test_private_threads.py",
    "meshcoop/fold/test_circles.py",
    "meshcoop/fold/test_private_on_disk.py",
)
LOGS = "protocol/test_log_lines.py"
FALSE_GIFTS, ADDRESSES = "sim/test_false_gifts.py", "sim/test_addresses.py"
BUNDLE, BUNDLES, STICKS = (
    "protocol/wire/test_bundle_file.py",
    "meshcoop/export/test_bundles.py",
    "street/test_sticks.py",
)
HOSTILE, SIEGE = "street/test_hostile.py", "street/test_siege.py"

# Maps each attack to the file of its test, and to the name of the test or of the case.
MSGPACK = {
    "depth 1,100": (CODEC, "depth 1,100"),
    "depth a million": (CODEC, "depth a million"),
    "depth 511": (CODEC, "depth 511"),
    "an array of 2^32-1": (CODEC, "array claim"),
    "an extension of 2^32-1": (CODEC, "extension claim"),
    "bytes of 2^32-1": (CODEC, "binary claim"),
    "a megabyte of empty maps": (CODEC, "a megabyte of empty maps"),
    "duplicate keys": (CODEC, "duplicate keys"),
    "1 as uint64": (CODEC, "1 as uint64"),
    "str32 for one character": (CODEC, "one character as str32"),
    "NaN": (CODEC, "NaN"),
    "-0.0": (CODEC, "-0.0"),
    "invalid UTF-8": (CODEC, "invalid UTF-8"),
    "lone surrogates": (CODEC, "a lone surrogate"),
    "a list as key": (CODEC, "a list as key"),
    "an unknown extension": (CODEC, "an unknown extension"),
    "a timestamp": (CODEC, "a timestamp"),
    "a timestamp that overflows": (CODEC, "a timestamp beyond every calendar"),
    "trailing bytes": (CODEC, "trailing garbage"),
    "truncated bytes": (CODEC, "truncated list"),
    "0xc1": (CODEC, "0xc1"),
    "the local API: nothing but a refusal": (
        "protocol/wire/test_local_rpc.py",
        "test_any_body_is_a_frame_or_a_refusal",
    ),
}
KEYS = {
    "S+L malleability": (RECORD, "test_a_signature_is_not_malleable"),
    "nine small-order or non-canonical keys": (
        RECORD,
        "test_small_order_and_non_canonical_keys_sign_nothing",
    ),
    "the same in root statements": (RECORD, "test_small_order_keys_state_nothing"),
    "small-order X25519": (SEAL, "test_nothing_is_sealed_to_or_opened_from_a_low_order_point"),
    "a key of a wrong length": (RECORD, "a short device key"),
    "a box of a wrong length": (SEAL, "test_a_box_of_another_length_is_refused"),
    "signature and message combined": (RECORD, "test_the_combined_form_is_no_signature"),
    "replay across domains": (RECORD, "test_a_statement_is_no_record_signature"),
    "replay across neighbourhoods": (
        RECORD,
        "test_a_record_cannot_be_replayed_in_another_neighbourhood",
    ),
    "replay across kinds": (RECORD, "test_content_cannot_be_swapped"),
}
NETWORK = {
    "the frame that ends a node": (GUARD, "test_a_malformed_gossip_frame_costs_its_stream_only"),
    "garbage to identify, push and ping": (GUARD, "test_garbage_on_every_protocol"),
    "relay hop and stop": (
        GUARD,
        "test_a_home_passes_nobody_on_and_takes_nobody_in_from_who_is_no_relay_of_its",
    ),
    "garbage to a relay": (
        "meshcoop/network/test_circuits.py",
        "test_garbage_to_a_relay_costs_a_stream",
    ),
    "varint overflow": (HOSTILE, "test_garbage_on_every_protocol"),
    "huge length claims": (SIEGE, "endless_headers"),
    "slowloris": (SIEGE, "slow_sockets"),
    "a handshake that never ends": (SWARM, "test_a_handshake_has_a_time_limit"),
    "600 silent sockets": (SWARM, "test_an_honest_connection_gets_in_past_600_silent_sockets"),
    "gossiped again later": (INBOX, "test_the_same_records_again_change_nothing"),
    "a stranger listens in": (
        PUBSUB,
        "test_a_stranger_is_told_no_topic_gets_no_frame_and_is_not_heard",
    ),
    "a stranger tries every door": (
        "attacks/test_closed_door.py",
        "test_a_stranger_learns_nothing_gets_no_frame_and_makes_nobody_dial",
    ),
    "a wrong proof, an old one, a mirrored one": (
        "meshcoop/network/test_doorway.py",
        "test_a_stranger_gets_a_nonce_and_nothing_else",
    ),
    "verdict cache poisoning": (PUBSUB, "test_a_copy_with_another_origin_does_not_censor"),
    "flood": (POOL, "test_a_flood_of_one_device_pushes_out_its_own_records_first"),
}
SYNCHRONISING = {
    "claims of millions": (SYNC, "test_millions_of_claims_are_cut_off"),
    "the same at a real node": (SIEGE, "claims_millions"),
    "one byte at a time": (SIEGE, "slow_sockets"),
    "advertises and never serves": (SIEGE, "never_serves"),
    "endless orphans": (POOL, "test_the_number_of_waiting_records_is_bounded"),
    "a fork at the first record": (
        MEETING,
        "test_a_forked_log_is_found_and_both_keep_the_same_of_it",
    ),
    "ten thousand branches": (MEETING, "test_ten_thousand_branches_leave_two_records"),
    "an expelled person goes on writing": (
        "attacks/test_settled_cuts.py",
        "test_what_an_expelled_person_goes_on_writing_is_let_go_by_every_home",
    ),
    "new devices of an expelled person": (
        "attacks/test_settled_cuts.py",
        "test_nothing_of_an_expelled_persons_new_device_is_stored",
    ),
    "feuds in any order": (
        "attacks/test_one_store.py",
        "test_any_order_and_any_route_give_one_store",
    ),
    "days to come": (
        "attacks/test_claimed_times.py",
        "test_a_member_who_claims_future_days_fills_no_store",
    ),
    "days long past": (
        "attacks/test_filled_disks.py",
        "test_a_newcomer_fills_only_the_days_of_their_membership",
    ),
    "forty devices": (
        "attacks/test_filled_disks.py",
        "test_of_a_person_32_devices_are_stored_and_the_same_everywhere",
    ),
    "frames larger than announced": (SYNC, "test_what_is_no_frame_is_refused"),
    "a peer that is no member": (
        HOSTILE,
        "test_a_hello_of_no_member_or_of_somebody_else_is_refused",
    ),
    "a have-map that lies": (HOSTILE, "test_a_member_who_claims_and_never_serves"),
    "a peer that stops reading": (HOSTILE, "test_members_who_stop_reading"),
}
WORDS = {
    "markup": (TEXT, "test_markup_stays_the_letters_that_somebody_typed"),
    "OSC 52": (TEXT, "a clipboard write (OSC 52)"),
    "a title": (TEXT, "a window title"),
    "CSI": (TEXT, "a cursor move (CSI)"),
    "C1": (TEXT, "CSI as one C1 character"),
    "a right-to-left override": (TEXT, "a right-to-left override"),
    "zero-width": (TEXT, "a zero-width space"),
    "tag characters": (TEXT, "tag characters"),
    "200 combining marks": (TEXT, "test_200_combining_marks_do_not_climb_over_the_screen"),
    "NUL": (TEXT, "NUL"),
    "DEL": (TEXT, "DEL"),
    "line breaks in a log": (LOGS, "test_words_of_a_peer_are_one_printable_line"),
    "a flood of lines in a log": (
        LOGS,
        "test_a_place_writes_few_entries_a_minute_and_others_go_on",
    ),
    "a link in place of a folder to write to": (
        "meshcoop/home/test_folder.py",
        "test_a_link_in_place_of_the_folder_is_not_followed",
    ),
}
AMONG_A_FEW = {
    "garbage under the seal": (PRIVATE, "test_garbage_under_the_seal_is_harmless"),
    "a private record that claims to be an offer": (PRIVATE, "an offer"),
    "ten thousand readers": (PRIVATE, "test_ten_thousand_readers_do_not_fit"),
    "two readers, two texts": (SEAL, "test_nobody_can_show_two_readers_two_texts"),
    "private about what is not": (PRIVATE, "test_what_is_private_hangs_from_nothing_that_is_not"),
    "a circle of strangers": (PRIVATE, "test_a_circle_that_names_strangers_has_only_members"),
    "a stranger takes themself in": (
        PRIVATE,
        "test_a_stranger_to_a_circle_takes_nobody_in_and_says_nothing",
    ),
    "a false key handed on": (
        PRIVATE,
        "test_a_key_that_is_none_is_passed_over_and_the_right_one_still_opens",
    ),
    "who was let go reads and talks on": (
        CIRCLES,
        "test_who_was_let_go_reads_nothing_later_and_says_nothing_that_counts",
    ),
    "a curious relay or thief": (
        DISK,
        "test_neither_members_nor_neighbours_nor_carriers_have_it_in_the_clear",
    ),
    "who talks to whom": (CIRCLES, "test_a_private_record_tells_who_and_when_and_nothing_else"),
}
PERSON_TO_PERSON = {
    "no party, another's device, another's hello": (
        FALSE_GIFTS,
        "test_a_stranger_a_thief_of_a_hello_and_a_third_member_are_told_nothing",
    ),
    "a replay, an oversized one, one for a dead agreement": (
        FALSE_GIFTS,
        "test_what_is_no_gift_of_the_other_party_is_refused",
    ),
    "garbage": (FALSE_GIFTS, "test_garbage_costs_a_stream_and_nothing_else"),
    "a flood": (FALSE_GIFTS, "test_who_comes_too_often_is_sent_away_and_others_are_heard"),
    "a curious third home": (
        "street/test_no_third_home.py",
        "test_no_third_home_ever_holds_an_address",
    ),
    "a thief when it is over": (
        ADDRESSES,
        "test_it_is_forgotten_when_the_agreement_is_cancelled",
    ),
}
RELAYS = "sim/test_relayed.py"
CARRYING = {
    "a curious relay": (
        "street/test_relays.py",
        "test_a_relay_carries_between_homes_that_never_meet_and_reads_nothing",
    ),
    "a lying relay": (RELAYS, "test_a_lying_relay_costs_time_only"),
    "a relay that passes itself off as a home": (
        "meshcoop/network/test_circuits.py",
        "test_a_relay_cannot_pass_itself_off_as_somebody_else",
    ),
    "a stranger asks a relay for everything": (
        RELAYS,
        "test_a_stranger_gets_nothing_from_a_relay",
    ),
    "a neighbourhood over its room": (
        RELAYS,
        "test_a_neighbourhood_over_its_room_loses_old_content_at_the_relay_alone",
    ),
    "a stranger's circuits": (
        "meshcoop/network/test_circuits.py",
        "test_strangers_get_few_small_circuits",
    ),
    "a relay's key that is a neighbour's device": (
        "protocol/authority/test_relays.py",
        "test_nobody_makes_a_relay_of_a_neighbours_device",
    ),
}
ON_A_STICK = {
    "a path out of the folder": (BUNDLE, "something else"),
    "a link to write over": (BUNDLES, "test_nothing_else_is_overwritten"),
    "a link, a pipe or a folder to read": (BUNDLES, "test_only_a_file_is_read"),
    "a file without end": (BUNDLE, "test_a_file_without_end_is_given_up_and_held_in_no_memory"),
    "huge length claims": (BUNDLE, "a frame of 4 GiB"),
    "cut anywhere": (BUNDLE, "test_cut_anywhere_it_is_told_and_what_came_before_is_there"),
    "bit flips": (BUNDLE, "test_a_flipped_bit_is_refused"),
    "another neighbourhood's": (BUNDLE, "another neighbourhood"),
    "another neighbourhood's records as ours": (BUNDLES, "test_records_are_checked_like_any_peers"),
    "a have-map that lies": (
        BUNDLES,
        "test_a_have_map_that_lies_gets_records_and_nothing_else",
    ),
    "erased content brought back": (BUNDLES, "test_erased_content_is_not_brought_back"),
    "a fork": (BUNDLES, "test_two_branches_meet_on_a_stick"),
    "nothing but refused records": (
        STICKS,
        "test_a_hostile_bundle_is_given_up_and_costs_nothing_else",
    ),
    "a full stick": (STICKS, "test_no_room_leaves_what_was_there"),
}
LISTS = {
    "on a stick": ON_A_STICK,
    "carrying": CARRYING,
    "person to person": PERSON_TO_PERSON,
    "among a few": AMONG_A_FEW,
    "msgpack": MSGPACK,
    "keys": KEYS,
    "network": NETWORK,
    "sync": SYNCHRONISING,
    "text": WORDS,
}


def names_in(path):
    """Returns the names of the functions in a file, and the keys of its tables of cases."""
    found = set()
    for node in ast.walk(ast.parse((HERE / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        if isinstance(node, ast.Dict):
            found |= {key.value for key in node.keys if isinstance(key, ast.Constant)}
    return found


@pytest.mark.parametrize("name", LISTS)
def test_what_is_indexed_is_there(name):
    known = {path: names_in(path) for path, _ in LISTS[name].values()}
    gone = {what: case for what, case in LISTS[name].items() if case[1] not in known[case[0]]}
    assert gone == {}
