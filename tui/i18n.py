"""The language of the screen. Every string that people read goes through `_`."""

import gettext
from pathlib import Path

_catalogue = gettext.translation("meshcoop", Path(__file__).parent / "locale", fallback=True)

_ = _catalogue.gettext
plural = _catalogue.ngettext
