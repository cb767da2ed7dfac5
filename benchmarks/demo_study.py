"""The demo of the claims study, of the three networks that torch.nn has, as a file for `ablate run`."""

from dataclasses import replace

from ablations.studies import STUDIES

_claims = STUDIES["claims"]
STUDY = replace(
    _claims,
    name="demo_of_three",
    variants=tuple(variant for variant in _claims.variants if variant.name in ("rnn", "gru", "lstm")),
    scales={"demo": replace(_claims.scales["demo"], variants={}, costs=None)},
)
