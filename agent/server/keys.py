"""/v1/keys: make, list and revoke the API keys of the tenant; by those with the scope admin."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from agent.access.keyring import Keyring
from agent.access.keys import MAX_NAME, ApiKey, Scope, read_span
from agent.access.usage import day_of, usage
from agent.server.access import Who, needs
from agent.server.context import Here, Tenant

router = APIRouter(prefix="/v1/keys", tags=["keys"], dependencies=[needs("admin")])


class NewKey(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "web shop", "scopes": ["chat", "feedback"], "expires": "90d"}]
        },
    )

    name: str = Field(min_length=1, max_length=MAX_NAME)
    scopes: list[Scope] = Field(min_length=1, max_length=10)
    expires: str | None = Field(None, description="In how long: 12h, 90d, 2w; never, if left out.")


class KeyAnswer(BaseModel):
    """A key as stored; the key itself is not."""

    id: str
    name: str
    scopes: list[Scope]
    status: Literal["good", "expired", "revoked"]
    created: datetime
    expires: datetime | None
    revoked: datetime | None
    turns_today: int = 0
    tokens_today: int = 0


class MadeKey(KeyAnswer):
    """A new key, shown this once."""

    key: str


class KeysAnswer(BaseModel):
    """All keys, oldest first."""

    keys: list[KeyAnswer]


def _keyring(request: Request, who: Who) -> Keyring:
    """Return the keys of the caller's tenant, to callers who showed one of them."""
    if not who.proven:
        raise HTTPException(403, "the first key is made with `attune keys add`, or with "
                                 "ATTUNE_ADMIN_KEY set and sent")  # fmt: skip
    tenant = request.app.state.tenants[who.tenant]
    assert isinstance(tenant, Tenant)
    return tenant.keys


Own = Annotated[Keyring, Depends(_keyring)]


@router.get("")
def look(keyring: Own, here: Here) -> KeysAnswer:
    """List the keys, with what each used today."""
    today = day_of(datetime.now(UTC))
    used = {one.key_id: one for one in usage(here.parts.store.database, today)}
    answers = [_answer(key) for key in keyring.list()]
    return KeysAnswer(
        keys=[
            one.model_copy(update={"turns_today": day.turns, "tokens_today": day.tokens})
            if (day := used.get(one.id))
            else one
            for one in answers
        ]
    )


@router.post("", status_code=201)
def add(asked: NewKey, keyring: Own) -> MadeKey:
    """Make a key; it is shown in this answer and never again."""
    lasts = read_span(asked.expires) if asked.expires is not None else None
    key, text = keyring.add(asked.name, asked.scopes, lasts)
    return MadeKey(**dict(_answer(key)), key=text)


@router.delete("/{key_id}")
def revoke(key_id: str, keyring: Own) -> KeyAnswer:
    """Take a key back; it opens nothing any more within seconds, in every process."""
    return _answer(keyring.revoke(key_id))


def _answer(key: ApiKey) -> KeyAnswer:
    return KeyAnswer(
        id=key.id, name=key.name, scopes=list(key.scopes), status=key.status(datetime.now(UTC)),
        created=key.created, expires=key.expires, revoked=key.revoked,
    )  # fmt: skip
