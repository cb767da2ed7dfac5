"""The ledger of claims, in the order of the introduction that makes them."""

from reports.claims.cells import GRU_CHEAPER, GRU_WORSE, LSTM_SLOW
from reports.claims.claim import Claim, Verdict
from reports.claims.comparison import Comparison
from reports.claims.direction import ANY_CELL, ATTENTION_LENGTH, BILSTM_ATTENTION, FUTURE_CONTEXT
from reports.claims.findings import FINDINGS
from reports.claims.memory import FIXED_LENGTH, LSTM_REMEMBERS, VANISHING

CLAIMS: dict[str, Claim] = {
    "fixed-length": FIXED_LENGTH,
    "vanishing": VANISHING,
    "lstm-remembers": LSTM_REMEMBERS,
    "lstm-slow": LSTM_SLOW,
    "gru-cheaper": GRU_CHEAPER,
    "gru-worse": GRU_WORSE,
    "future-context": FUTURE_CONTEXT,
    "any-cell": ANY_CELL,
    "bilstm-attention": BILSTM_ATTENTION,
    "attention-length": ATTENTION_LENGTH,
    **{name: finding.claim() for name, finding in FINDINGS.items()},
}
"""Every claim by its id."""


def claims_of(study: str) -> dict[str, Claim]:
    """The claims that a study tests."""
    return {name: claim for name, claim in CLAIMS.items() if study in claim.studies}


__all__ = ["CLAIMS", "Claim", "Comparison", "Verdict", "claims_of"]
