"""What the invites of a run say, and what a post says that a bare client sends in their place."""

from typing import Any
from uuid import uuid4

from service.core.marks import INVITE_MARK, POST_MARK

ROLE = {"role_name": "Nurse", "language": "en"}
METADATA = {"requisition": "R-1042", "branch": "North"}
TAGS = ["spring", "night-shift"]
CONSENT = "explicit"


def body(candidate_ref: str) -> dict[str, Any]:
    """The same fields and sizes as in the service's own posts, marks included."""
    marks = {INVITE_MARK: f"{uuid4()}/1", POST_MARK: str(uuid4())}
    return {"consent_mode": CONSENT, "candidate_ref": candidate_ref, "metadata": METADATA | marks, "tags": TAGS}
