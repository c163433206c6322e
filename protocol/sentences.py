"""The English sentences for the codes with which a node says something to people.

Only the screen and the command line read this table. They first translate a sentence, and then put
the arguments into the translated sentence. A name in braces stands for an argument.
"""

SENTENCES: dict[str, str] = {
    # How a measure is going.
    "too_few_answers": "Too few people have answered yet to say anything.",
    "faded": "With late answers this no longer stands out.",
    "as_usual": "As agreed, and as usual. Ups and downs like these are normal.",
    "worse_than_usual": (
        "No sign that the target is missed, but worse than usual here. Something changed: what?"
    ),
    "better_than_usual": "As agreed, and better than usual.",
    "short": (
        "As usual, and usual is not good enough. Trying harder won't help; the arrangement must "
        "change."
    ),
    "short_and_worse": "Worse than usual and short of the target.",
    "short_and_better": "Better than usual, but the last results together are short of the target.",
    "short_and_early": "Short of the target; it is too early to know what is usual.",
    # When homes run.
    "all_in_few_hours": (
        "All homes run in the same few hours, and there is no relay. If their hours overlap little, "
        "up to a third of the reports are seen late. Let one home run longer, or ask a neighbour for "
        "a relay"
    ),
    # Where a record stands in time.
    "stands_late": "It was seen late, and counts from then on.",
    "came_too_late": "It came after the result was final, and changes nothing.",
    "unseen": "Too few witnesses have seen it in time; it does not count now.",
    "unwitnessed": "No witness could see it.",
    # What an action has changed.
    "better": "It is better than before.",
    "fewer": "It is less than before; that could still be chance.",
    "no better": "It is no better than before.",
    "balance_worse": "This got worse meanwhile, beyond chance.",
    "balance_no_worse": "This did not get worse beyond chance.",
    # What a trial shows, and what it can show.
    "trial_better": "It was better during the trial than before, beyond chance.",
    "trial_worse": "It was worse during the trial than before, beyond chance.",
    "trial_unclear": "What differs between before and during the trial could be chance.",
    "trial_too_few": "Too few windows have enough answers to say anything.",
    "trial_power": (
        "If things went wrong half as often (10 % instead of 20 %, or 2 times instead of 4), this trial "
        "would notice it in {percent} of 100 cases"
    ),
    "trial_is_short": (
        "This trial is short: {before} windows before and {during} during it; 8 and 8 are wanted. If "
        "things went wrong half as often (10 % instead of 20 %, or 2 times instead of 4), it would "
        "notice it in {percent} of 100 cases"
    ),
    # What is suggested.
    "help": "You could help: {what}",
    "want": "You may want: {what}",
    "back": "A way to give back: {what}",
    # Why it is suggested, and why two people know each other. These are parts of a sentence.
    "you_both_named": "you both named {words}",
    "you_both_listed": "you both listed {words}",
    "both_named": "{actor} and {other} both named {words}",
    "both_listed": "{actor} and {other} both listed {words}",
    "you_ask": "you ask for “{words}”",
    "asks": "{actor} asks for “{words}”",
    "you_would_like": "you would like “{words}”",
    "would_like": "{actor} would like “{words}”",
    "you_offer": "you offer “{words}”",
    "offers": "{actor} offers “{words}”",
    "you_listed": "you listed “{words}”",
    "listed": "{actor} listed “{words}”",
    "free_on": "free on {days}",
    "in_area": "both in {area}",
    "speak": "both speak {language}",
    "you_have_time": "{minutes} are left of your time this month",
    "has_time": "{minutes} are left of the time of {actor} this month",
    "you_gave": "you gave {other} {minutes} on {on}",
    "gave_you": "{actor} gave you {minutes} on {on}",
    "gave": "{actor} gave {other} {minutes} on {on}",
    "you_owe": "you have received more than given so far",
    "owes": "{actor} has received more than given so far",
    "you_exchanged": "you and {other} exchanged on {on}",
    "exchanged": "{actor} and {other} exchanged on {on}",
    "you_vouched": "you vouched for {other}",
    "vouched_for_you": "{actor} vouched for you",
    "vouched": "{actor} vouched for {other}",
    "you_admitted": "you let {other} in",
    "admitted_you": "{actor} let you in",
    "admitted": "{actor} let {other} in",
    # A balance beyond the limits that the charter suggests.
    "you_are_beyond": "The charter suggests no further than {limit}; you are at {balance}",
    "you_would_be_beyond": "The charter suggests no further than {limit}; you would be at {balance}",
    "is_beyond": "The charter suggests no further than {limit}; {actor} is at {balance}",
    "would_be_beyond": "The charter suggests no further than {limit}; {actor} would be at {balance}",
    # Whether others may vote, and what changes. The first is a question (R-16.5m).
    "may_vote": "May {people} vote from now on?",
    "may_term_begin": "May a new term begin?",
    "vouched_by": "{other}: {people} vouched",
    "named_alike": "{actor} and {people} are named alike",
    "need_voucher": "{people} must wait until one of you vouches for them too",
    # Whether somebody vouches for a newcomer who has too few vouchers (R-16.5p).
    "may_stay": "May {other} stay when more people vote?",
    "may_join": "May {other} join?",
    "vouch_if_you_know": "vouch only if you know {other}; vouchers missing: {count}",
    "would_drop_out": "drops out when more people vote; vouchers missing: {count}",
    "you_would_drop_out": (
        "vouchers missing: {count}; only {people} vouched for you, and you drop out when more "
        "people vote"
    ),
    "witnesses_silent": (
        "homes that witness reports, but have been silent for 14 days: {count} of {total}; a new term "
        "lists others"
    ),
    "you_wait_for_vouchers": "{people} vouched for you; you wait for further vouchers: {count}",
    "join_voters": "new voters: {people}",
    "leave_voters": "no longer voters: {people}",
    "moderate_then": "moderators: {people}",
    "rules_then": "a newcomer needs {count} vouchers, a decision more than {share} % yes",
    "type_to_agree": "type {count} to agree: so many people vote then",
    # Why a newcomer does not vote yet. These are parts of a sentence.
    "wrote_too_little": "wrote on {count} of 2 days",
    "one_votes_alone": "{actor} votes alone, and is asked once there are two to add",
    "one_is_asked": "{actor} is asked",
    "votes_are_missing": "{count} of the {total} yes needed",
    "homes_propose": "the home of {people} proposes it, within a day",
    "nobody_proposes": "nobody who vouched votes; a voter can type `meshcoop renew`",
    # What is wrong with a store, and what a node did about it when it started.
    "sqlite_finds": "SQLite finds: {fault}",
    "store_is_unreadable": "it cannot be read ({error})",
    "records_not_as_signed": "records that are not what was signed: {count}",
    "log_has_no_beginning": "the write-ahead log has lost its beginning",
    "log_is_damaged": "the write-ahead log is damaged in the middle",
    "store_was_rebuilt": (
        "the store was damaged ({faults}): of its records {saved} were saved, {lost} could not be read and "
        "come back from the neighbours' nodes; the old files are in {folder}"
    ),
    "store_was_lost": "the store was lost: what it held comes back from the neighbours' nodes",
    "log_was_cut": "{faults}: what was stored last comes back from the neighbours' nodes",
}
