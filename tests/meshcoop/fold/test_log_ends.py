"""A home reads the ends of a log once, and again when the log has grown."""

from meshcoop.author import newcomers
from meshcoop.store.records import Records
from protocol.record.envelope import DAY_MS
from tests.support.street_in_memory import settle, street


def test_who_wrote_on_two_days_is_read_from_each_log_once(monkeypatch):
    with street(homes=6) as homes:
        ada = homes[0]
        for _ in range(2):
            for home in homes:
                home.post("offer", title="Bread")
            ada.street.clock += DAY_MS
        settle(*homes)
        people = [home.me.person for home in homes[1:]]
        read = []
        of_log = Records.of_log

        def note(self, device, *arguments):
            read.append(device)
            return of_log(self, device, *arguments)

        monkeypatch.setattr(Records, "of_log", note)

        assert newcomers.ready(ada.state, people) == people
        assert set(read) == {home.me.device for home in homes[1:]}
        read.clear()
        assert newcomers.ready(ada.state, people) == people
        assert not read
        ada.take(homes[2].post("offer", title="Bread"))
        read.clear()
        assert newcomers.ready(ada.state, people) == people
        assert set(read) == {homes[2].me.device}
