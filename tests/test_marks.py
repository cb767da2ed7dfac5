"""An ablation's equations are printed with what its parent has otherwise marked, and with the parent's own."""

import re
from typing import Any

import pytest
from builders.printed_equations import merged

from ablations.models import CELLS, Cell
from ablations.models.equations import equations, marked, symbolic_step
from ablations.models.lstm import LSTM

LSTM_PRINTED = {
    **{gate: f"{gate}_t = {'tanh' if gate == 'g' else 'σ'}({merged(gate)})" for gate in "ifgo"},
    "c": "c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t",
    "h": "h_t = o_t ⊙ tanh(c_t)",
}
GATES = "[i_{t-1}, f_{t-1}, o_{t-1}]"
MARKED_LSTM = {
    "lstm-no-input-gate": {"c": "c_t = f_t ⊙ c_{t-1} «+ g_t»"},
    "lstm-no-forget-gate": {"c": "c_t = «c_{t-1}» + i_t ⊙ g_t"},
    "lstm-no-output-gate": {"h": "h_t = «tanh(c_t)»"},
    "lstm-no-input-activation": {"g": f"g_t = «{merged('g')}»"},
    "lstm-no-output-activation": {"h": "h_t = o_t ⊙ «c_t»"},
    "lstm-coupled": {"f": "f_t = «1 − i_t»"},
    "lstm-peepholes": {
        "i": f"i_t = σ({merged('i')} «+ p ⊙ c_{{t-1}}»)",
        "f": f"f_t = σ({merged('f')} «+ q ⊙ c_{{t-1}}»)",
        "o": f"o_t = σ({merged('o')} «+ u ⊙ c_t»)",
    },
    "lstm-full-gate-recurrence": {
        gate: f"{gate}_t = σ(W_{gate} x_t + R_{gate} h_{{t-1}} «+ V_{gate} {GATES}» + b_{gate})" for gate in "ifo"
    },
}
GRU_N = "n_t = tanh(W_n x_t + b_n + r_t ⊙ (R_n h_{t-1} + d_n))"
GRU_H = "h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t-1}"
MARKED = {
    "rnn-relu": [f"h_t = «relu({merged('h')})»", f"instead of: h_t = tanh({merged('h')})"],
    "rnn-no-recurrence": ["h_t = tanh(«W_h x_t + b_h»)", f"instead of: h_t = tanh({merged('h')})"],
    "gru-no-reset": [
        f"z_t = σ({merged('z')})",
        "n_t = tanh(W_n x_t «+ R_n h_{t-1}» + b_n)",
        GRU_H,
        f"without: r_t = σ({merged('r')})",
        f"instead of: {GRU_N}",
    ],
    "gru-no-update": [
        f"r_t = σ({merged('r')})",
        "h_t = «tanh(W_n x_t + b_n + r_t ⊙ (R_n h_{t-1} + d_n))»",
        f"without: z_t = σ({merged('z')})",
        f"without: {GRU_N}",
        f"instead of: {GRU_H}",
    ],
    "gru-reset-before": [
        f"r_t = σ({merged('r')})",
        f"z_t = σ({merged('z')})",
        "n_t = tanh(W_n x_t «+ R_n (r_t ⊙ h_{t-1})» + b_n)",
        GRU_H,
        f"instead of: {GRU_N}",
    ],
    "mgu": [
        f"«f_t = σ({merged('f')})»",
        "n_t = tanh(W_n x_t + R_n («f_t» ⊙ h_{t-1}) + b_n)",
        "h_t = «f_t» ⊙ n_t + «(1 − f_t)» ⊙ h_{t-1}",
        f"without: r_t = σ({merged('r')})",
        f"without: z_t = σ({merged('z')})",
        "instead of: n_t = tanh(W_n x_t + R_n (r_t ⊙ h_{t-1}) + b_n)",
        f"instead of: {GRU_H}",
    ],
}


@pytest.mark.parametrize("cell", MARKED_LSTM)
def test_an_ablated_lstm_is_printed_with_what_was_changed_marked_and_what_it_was_at_the_end(cell: str) -> None:
    names = list(symbolic_step(CELLS[cell]))
    expected = [(LSTM_PRINTED | MARKED_LSTM[cell])[name] for name in names]
    for name in symbolic_step(CELLS["lstm"]):
        if name not in names:
            expected.append(f"without: {LSTM_PRINTED[name]}")
        elif name in MARKED_LSTM[cell]:
            expected.append(f"instead of: {LSTM_PRINTED[name]}")
    assert marked(CELLS[cell]).splitlines() == expected


@pytest.mark.parametrize("cell", MARKED)
def test_an_ablation_is_printed_with_what_was_changed_marked_and_what_it_was_at_the_end(cell: str) -> None:
    assert marked(CELLS[cell]).splitlines() == MARKED[cell]


@pytest.mark.parametrize("cell", [*[c for c in CELLS.values() if c.parent is None], CELLS["rnn-identity"]])
def test_where_no_equation_differs_from_a_parents_nothing_is_marked(cell: type[Cell]) -> None:
    assert marked(cell).splitlines() == [equation.text for equation in equations(cell)]


@pytest.mark.parametrize("cell", [cell for cell in CELLS.values() if cell.parent], ids=lambda cell: cell.name)
def test_without_its_marks_an_ablation_reads_as_ever(cell: type[Cell]) -> None:
    lines = re.sub("[«»]", "", marked(cell)).splitlines()
    own = [line for line in lines if not line.startswith(("without: ", "instead of: "))]
    assert own == [equation.text for equation in equations(cell)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (lambda f, s: s.h + s.c * 2, lambda f, s: 2 * s.c + s.h, "2 c_{t-1} + h_{t-1}"),
        (lambda f, s: s.h - s.c, lambda f, s: s.h + s.c, "h_{t-1} «+ c_{t-1}»"),
        (lambda f, s: s.h + s.c, lambda f, s: s.h - s.c, "h_{t-1} «− c_{t-1}»"),
        (lambda f, s: s.h * s.c, lambda f, s: -s.h * s.c, "«−h_{t-1} ⊙ c_{t-1}»"),
        (lambda f, s: 2 * s.h, lambda f, s: 3 * s.h, "«3 h_{t-1}»"),
        (lambda f, s: s.h / (1 + s.c), lambda f, s: s.h / (1 + f.exp(s.c)), "h_{t-1} / (1 «+ exp(c_{t-1})»)"),
        (lambda f, s: s.h * f.tanh(2 * s.c), lambda f, s: s.h * f.tanh(s.c), "h_{t-1} ⊙ «tanh(c_{t-1})»"),
        (
            lambda f, s: s.h + f.tanh(s.c * s.c),
            lambda f, s: s.h + f.tanh(s.h * s.c),
            "h_{t-1} + tanh(«h_{t-1}» ⊙ c_{t-1})",
        ),
        (lambda f, s: f.maximum(s.h, s.c), lambda f, s: f.maximum(s.h, 1.0), "max(h_{t-1}, «1»)"),
        (lambda f, s: f.exp(s.c), lambda f, s: s.c + s.h, "«c_{t-1} + h_{t-1}»"),
    ],
)
def test_marks_enclose_the_term_that_differs_in_whatever_order_terms_are(
    before: Any, after: Any, expected: str
) -> None:
    class Parent(LSTM):
        step = staticmethod(lambda f, a, s, v: {"h": before(f, s)})

    class Child(LSTM):
        parent, change = Parent, "another step"
        step = staticmethod(lambda f, a, s, v: {"h": after(f, s)})

    assert marked(Child).splitlines()[0] == f"h_t = {expected}"
