"""The vendor's bodies: personas, sessions, the create response, in the profile's variants (contract §2.1 to §2.4)."""

from datetime import datetime
from typing import Any

from sandbox.model import Link, Persona, Session, Status
from sandbox.money import stamp
from sandbox.profile import Profile, Shapes


def persona_row(persona: Persona) -> dict[str, Any]:
    return {
        "id": persona.id,
        "client_id": persona.client_id,
        "role_name": persona.role_name,
        "language": persona.language,
        "status": "active",
        "created_at": stamp(persona.created_at),
    }


def persona_created(persona: Persona, shapes: Shapes) -> dict[str, Any]:
    override = {"base_prompt_override": persona.base_prompt_override} if shapes.override_on_create else {}
    return persona_row(persona) | override


def persona_detail(persona: Persona) -> dict[str, Any]:
    return persona_row(persona) | {
        "base_prompt_override": persona.base_prompt_override,
        "system_prompt": persona.system_prompt,
        "updated_at": None,
    }


def session_created(session: Session, link: Link, shapes: Shapes) -> dict[str, Any]:
    """The only time that the link is told (contract §2.2). The id's name is disputed (contract §6.1)."""
    names = ("id", "session_id") if shapes.session_id_field == "both" else (shapes.session_id_field,)
    expires_in = round((link.expires_at - link.minted_at).total_seconds())
    return dict.fromkeys(names, session.id) | {"candidate_link": link.url, "expires_in": expires_in}


def session_row(session: Session, now: datetime, profile: Profile) -> dict[str, Any]:
    """A row of the list: with role_name and language, null once the persona is gone."""
    gone = session.persona.deleted
    return _summary(session, now, profile) | {
        "role_name": None if gone else session.persona.role_name,
        "language": None if gone else session.persona.language,
    }


def session_detail(session: Session, now: datetime, profile: Profile) -> dict[str, Any]:
    """A single session: the persona as an object, and the candidate's answer to the survey."""
    persona = session.persona
    return _summary(session, now, profile) | {
        "persona": None
        if persona.deleted
        else {"id": persona.id, "role_name": persona.role_name, "language": persona.language},
        "feedback": _feedback(session, now),
    }


def _summary(session: Session, now: datetime, profile: Profile) -> dict[str, Any]:
    stored = artifacts_stored(session, now)
    with_empty = profile.shapes.empty_collections == "empty"
    plan = session.plan
    summary = {
        "id": session.id,
        "client_id": session.client.id,
        "project_id": session.project_id,
        "persona_id": session.persona.id,
        "status": session.status.value,
        "consent_mode": session.consent_mode,
        "candidate_ref": session.candidate_ref,
        "tags": session.tags or ([] if with_empty else None),
        "metadata": session.metadata or ({} if with_empty else None),
        "source": session.source.value,
        "created_at": stamp(session.created_at),
        "started_at": None if session.started_at is None else stamp(session.started_at),
        "completed_at": stamp(session.ended_at) if session.ended_at and session.status is Status.COMPLETED else None,
        "duration_sec": session.duration_sec,
        "credit_charged": session.credit_charged,
        "recording_s3_key": f"recordings/{session.id}.wav" if stored and plan and plan.recording else None,
        "transcript_s3_key": f"transcripts/{session.id}.json" if stored and plan and plan.transcript else None,
        "interview_svc_session_id": None if session.started_at is None else f"svc-{session.id[:8]}",
    }
    return summary | _timeout(session, profile.shapes)


def artifacts_stored(session: Session, now: datetime) -> bool:
    return session.status is Status.COMPLETED and session.artifacts_at is not None and session.artifacts_at <= now


def _timeout(session: Session, shapes: Shapes) -> dict[str, Any]:
    """SESSION_TIMEOUT, where this vendor shows it (contract §2.4: nobody has written down where)."""
    code = "SESSION_TIMEOUT" if session.timed_out else None
    match shapes.timeout_shown:
        case "nowhere":
            return {}
        case "error_code" | "status_reason" as name:
            return {name: code}
        case "error":
            return {"error": code and {"code": code, "message": "The interview ran out of time"}}


def _feedback(session: Session, now: datetime) -> dict[str, Any] | None:
    """An integer from 1 to 5, and whether that is 2 or less (contract §2.4; the names are guesses)."""
    if session.feedback_at is None or session.feedback_at > now or session.plan is None or session.plan.rating is None:
        return None
    return {"rating": session.plan.rating, "low_rating": session.plan.rating <= 2}
