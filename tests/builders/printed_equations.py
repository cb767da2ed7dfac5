"""How equations are written by hand."""


def merged(gate: str) -> str:
    """The pre-activation of a gate of the usual kind."""
    return f"W_{gate} x_t + R_{gate} h_{{t-1}} + b_{gate}"
