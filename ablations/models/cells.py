"""Every cell by name, its ablations among them."""

from ablations.models import gru, lstm, rnn
from ablations.models.cell import Cell

CELLS: dict[str, type[Cell]] = {
    cell.name: cell
    for cell in (
        rnn.RNN,
        rnn.RNNRelu,
        rnn.RNNIdentity,
        rnn.RNNWithoutRecurrence,
        lstm.LSTM,
        lstm.LSTMWithoutInputGate,
        lstm.LSTMWithoutForgetGate,
        lstm.LSTMWithoutOutputGate,
        lstm.LSTMWithoutInputActivation,
        lstm.LSTMWithoutOutputActivation,
        lstm.LSTMCoupled,
        lstm.LSTMPeepholes,
        lstm.LSTMFullGateRecurrence,
        lstm.SLSTM,
        gru.GRU,
        gru.GRUWithoutReset,
        gru.GRUWithoutUpdate,
        gru.GRUResetBefore,
        gru.MGU,
        gru.MinGRU,
        gru.SignedMinGRU,
    )
}
"""Every cell by name."""
