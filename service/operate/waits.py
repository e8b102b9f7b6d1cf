"""Why a pending invite waits, as the view `invites` tells it."""

from enum import StrEnum


class WaitReason(StrEnum):
    TIME = "time"  #: its `start_after` has not come
    NO_KEY = "no_key"
    PAUSED = "paused"
    STOPPED = "stopped"
    TOLD_TO_WAIT = "told_to_wait"  #: the vendor asked the account to wait
    PERSONA = "persona"  #: the persona of its role and language is being found or created
    TURN = "turn"  #: nothing stands in its way but the request budget and those before it
