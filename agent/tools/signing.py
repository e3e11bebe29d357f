"""Signatures of what is sent to the shop's servers, by Standard Webhooks.

A request without a body is signed over its method and path instead, so that both are covered:
"GET /orders/A-1234?lang=en".
"""

from __future__ import annotations

from datetime import UTC, datetime


def signed(secret: str, id: str, payload: str) -> dict[str, str]:
    """Return the headers that prove who sent a payload, and when.

    Raises:
        ValueError: If the secret is none: base64 of 24 to 64 bytes, "whsec_" before it or not.
    """
    from standardwebhooks import Webhook

    now = datetime.now(UTC)
    signature = Webhook(checked_secret(secret)).sign(id, now, payload)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


def checked_secret(secret: str) -> str:
    """Return a secret that signatures can be made with; ValueError says what is expected."""
    import base64
    import binascii

    try:
        key = base64.b64decode(secret.removeprefix("whsec_") + "==", validate=False)
    except (binascii.Error, ValueError):
        key = b""
    if not 16 <= len(key) <= 128:
        raise ValueError(
            "the signing secret is no base64 of 16 bytes or more; make one with "
            "`attune tools secret`"
        )
    return secret
