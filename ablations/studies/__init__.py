"""The questions, one file each."""

from ablations.studies import claims
from ablations.study import Study

STUDIES: dict[str, Study] = {"claims": claims.STUDY}
"""Every study by name."""
