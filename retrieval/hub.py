"""Whether models can be downloaded just now.

The hub's client asks for every file of a model six times over: offline it takes minutes to fail.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

TIMEOUT_S = 5.0
logger = logging.getLogger(__name__)


def hub_answers() -> bool:
    """Return whether the model hub answers; it is asked once."""
    import httpx
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        response = httpx.head(constants.ENDPOINT, timeout=TIMEOUT_S)
    except httpx.HTTPError as error:
        logger.info("%s does not answer: %r", constants.ENDPOINT, error)
        return False
    return response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
