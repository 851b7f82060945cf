"""Everything that may cross the wire."""

from __future__ import annotations

from simulator.messages.masked import KeysRequest, MaskingAnswer, StepRequest
from simulator.messages.requests import (
    Apology,
    CatalogueAnswer,
    CatalogueRequest,
    Refusal,
    RoundAnswer,
    RoundRequest,
)

Request = CatalogueRequest | RoundRequest | KeysRequest | StepRequest
Answer = CatalogueAnswer | RoundAnswer | MaskingAnswer | Refusal | Apology
