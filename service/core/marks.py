"""What a post writes into the metadata, so that its session can be found again. The names are fixed for ever."""

from uuid import UUID

from service.core.model import PostClaim

INVITE_MARK = "zenhire_sync_invite"  #: "<invite id>/<link number>"
POST_MARK = "zenhire_sync_post"  #: the post's id


def invite_mark(claim: PostClaim) -> str:
    return f"{claim.invite_id}/{claim.link_number}"


def read_post_mark(mark: str | None) -> UUID | None:
    """The post that a session's metadata names, if it is one."""
    try:
        return UUID(mark) if mark else None
    except ValueError:
        return None
