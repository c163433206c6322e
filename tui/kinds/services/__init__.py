"""Services: their chains, and what people ask, say and do about them."""

from tui.kinds.services import service_face as service_face
