"""The language of the screen. Every text that people read passes through the function `_`, which
translates it.
"""

import gettext
from pathlib import Path

_catalogue = gettext.translation("meshcoop", Path(__file__).parent / "locale", fallback=True)

_ = _catalogue.gettext
plural = _catalogue.ngettext
