"""What a training step needs beside the cells, compiled: embedding, cross-entropy, and Adam, for all runs of a cohort.

R runs, N answers of each, K classes, V words of D numbers, P parameters.

Nobody imports this module: `compilation.py` compiles its text.
"""

from math import inf, sqrt

from numba import njit

from ablations.models.kernels.convolution import adjoint, convolve_frame, weight_gradient
from ablations.models.kernels.energies import energies_adjoint, energies_of
from ablations.models.kernels.frames import put, put_slope, take
from ablations.models.kernels.functions import exp, log, maximum, root
from ablations.models.kernels.lanes import LANES, filled, load, padded, select, store, total
from ablations.models.kernels.matrices import add_rows, clear, strided, submatrix


@njit(error_model="numpy", nogil=True, cache=True, no_cfunc_wrapper=True, _nrt=False)
def embed(weight, tokens, outputs):
    """outputs (R, N, D) = the rows of weight (R, V, D) that the tokens (R, N) name; False where there is no such row."""
    R, N, D = outputs.shape
    for r in range(R):
        for n in range(N):
            token = tokens[r, n]
            if not 0 <= token < weight.shape[1]:
                return False
            for d in range(D):
                outputs[r, n, d] = weight[r, token, d]
    return True


@njit(error_model="numpy", nogil=True, cache=True, no_cfunc_wrapper=True, _nrt=False)
def embed_gradient(d_outputs, tokens, d_weight):
    """d_weight (R, V, D), zeros before, from d_outputs (R, N, D)."""
    R, N, D = d_outputs.shape
    whole = D - D % LANES
    for r in range(R):
        for n in range(N):
            token = tokens[r, n]
            for d in range(0, whole, LANES):
                store(load(d_weight[r], token, d) + load(d_outputs[r], n, d), d_weight[r], token, d)
            for d in range(whole, D):
                d_weight[r, token, d] += d_outputs[r, n, d]


@njit(error_model="numpy", nogil=True, cache=True, no_cfunc_wrapper=True, _nrt=False)
def cross_entropy(logits, targets, ignored, losses, normaliser):
    """losses (R, N) in nats from logits (R, K, N), 0 where the target (R, N) is `ignored`; and log Σ exp of the logits.

    N is at least LANES: the last vector overlaps the one before. False where a target is no class.
    """
    R, K, N = logits.shape
    for r in range(R):
        for block in range(0, N, LANES):
            n = min(block, N - LANES)
            largest = load(logits[r], 0, n)
            for k in range(1, K):
                largest = maximum(largest, load(logits[r], k, n))
            summed = exp(load(logits[r], 0, n) - largest)
            for k in range(1, K):
                summed = summed + exp(load(logits[r], k, n) - largest)
            store(largest + log(summed), normaliser, r, n)
        for n in range(N):
            target = targets[r, n]
            if target == ignored:
                losses[r, n] = 0.0
            elif not 0 <= target < K:
                return False
            else:
                losses[r, n] = normaliser[r, n] - logits[r, target, n]
    return True


@njit(error_model="numpy", nogil=True, cache=True, no_cfunc_wrapper=True, _nrt=False)
def cross_entropy_gradient(logits, targets, ignored, normaliser, d_losses, d_logits):
    """d_logits (R, K, N) from d_losses (R, N), which becomes 0 where the target is `ignored`."""
    R, K, N = logits.shape
    for r in range(R):
        for n in range(N):
            if targets[r, n] == ignored:
                d_losses[r, n] = 0.0
        for block in range(0, N, LANES):
            n = min(block, N - LANES)
            all_, slope = load(normaliser, r, n), load(d_losses, r, n)
            for k in range(K):
                store(exp(load(logits[r], k, n) - all_) * slope, d_logits[r], k, n)
        for n in range(N):
            if targets[r, n] != ignored:
                d_logits[r, targets[r, n], n] -= d_losses[r, n]


@njit(error_model="numpy", nogil=True, cache=True, no_cfunc_wrapper=True, _nrt=False)
def adam(theta, gradient, mean, square, lr, limit, decay, first, second):
    """Clips the gradient of each run (R, P) by its norm, adds the weight decay, and takes a step of Adam in place.

    lr, limit and decay (R,); first = 1 − β1^step, second = 1 − β2^step.
    """
    R, P = theta.shape
    whole = P - P % LANES
    for r in range(R):
        norm = 0.0
        for p in range(0, whole, LANES):
            norm += total(load(gradient, r, p) * load(gradient, r, p))
        for p in range(whole, P):
            norm += gradient[r, p] * gradient[r, p]
        scale = min(1.0, limit[r] / (sqrt(norm) + 1e-6))
        for p in range(0, whole, LANES):
            g = load(gradient, r, p) * scale + load(theta, r, p) * decay[r]
            m = load(mean, r, p) + (g - load(mean, r, p)) * 0.1
            v = load(square, r, p) * 0.999 + g * g * 0.001
            store(m, mean, r, p)
            store(v, square, r, p)
            store(load(theta, r, p) - m / first * lr[r] / (root(v / second) + 1e-8), theta, r, p)
        for p in range(whole, P):
            g = gradient[r, p] * scale + theta[r, p] * decay[r]
            mean[r, p] += (g - mean[r, p]) * 0.1
            square[r, p] = square[r, p] * 0.999 + g * g * 0.001
            theta[r, p] -= mean[r, p] / first * lr[r] / (sqrt(square[r, p] / second) + 1e-8)


@njit(error_model="numpy", nogil=True, cache=True, no_cfunc_wrapper=True, _nrt=False)
def convolve(x, weight, bias, shift, before, n, is_last, floor, mask, frame, y):
    """y (R, O, T'·n) from x (R, C, T·n), or (R, n·T, C) where `is_last`, and weight (R, O, C, k).

    It is not below `floor`, and 0 where the mask (R, T'·n) is 0.
    shift, before: the columns from one tap to the next, and those of zeros before the first step. The frame has C rows.
    """
    clear(strided(frame))
    for r in range(y.shape[0]):
        put(strided(frame), before, strided(x[r]), n, is_last)
        convolve_frame(strided(y[r]), strided(weight[r]), bias[r], strided(frame), shift, floor, mask[r])


@njit(error_model="numpy", nogil=True, cache=True, no_cfunc_wrapper=True, _nrt=False)
def convolve_gradient(
    d_y, y, x, weight, no_bias, ones, shift, before, n, is_last, is_rectified, frames, d_weight, d_bias, d_x
):
    """d_weight, d_bias, zeros before, and d_x in the layout of x, or of no runs where nobody asks for it.

    no_bias: C zeros; ones: T·n of them. The frames have 2 · C + O rows.
    """
    R, outputs, C, k = weight.shape
    width, steps, after = frames.shape[1], x.shape[1] * x.shape[2] // C, (k - 1) * shift - before
    clear(strided(frames))
    frame, slopes = submatrix(frames, 0, 0, C, width), submatrix(frames, C, 0, outputs, width)
    columns = submatrix(frames, C, after, outputs, padded(y.shape[2]))
    for r in range(R):
        put(frame, before, strided(x[r]), n, is_last)
        if is_rectified:
            put_slope(slopes, after, strided(d_y[r]), strided(y[r]))
        else:
            put(slopes, after, strided(d_y[r]), n, False)
        weight_gradient(strided(d_weight[r]), columns, frame, shift)
        add_rows(d_bias[r], 0, columns)
        if d_x.shape[0]:
            to = submatrix(frames, C + outputs, 0, C, steps) if is_last else strided(d_x[r])
            convolve_frame(to, adjoint(weight[r]), no_bias, slopes, shift, -inf, ones)
            if is_last:
                take(strided(d_x[r]), to, n)


@njit(error_model="numpy", nogil=True, cache=True, no_cfunc_wrapper=True, _nrt=False)
def peak(x, peaks):
    """peaks (R, N, n) = the largest of x (R, N, T, n) over T, whose rows n are at least LANES long."""
    R, N, T, n = x.shape
    for r in range(R):
        for i in range(N):
            for block in range(0, n, LANES):
                j = min(block, n - LANES)
                largest = load(x[r, i], 0, j)
                for t in range(1, T):
                    largest = maximum(largest, load(x[r, i], t, j))
                store(largest, peaks[r], i, j)


@njit(error_model="numpy", nogil=True, cache=True, no_cfunc_wrapper=True, _nrt=False)
def peak_gradient(d_peaks, peaks, x, d_x):
    """d_x (R, N, T, n): each of the largest gets an equal part."""
    R, N, T, n = x.shape
    for r in range(R):
        for i in range(N):
            for block in range(0, n, LANES):
                j = min(block, n - LANES)
                largest, count = load(peaks[r], i, j), filled(x, 0.0)
                for t in range(T):
                    count = count + select(largest - load(x[r, i], t, j), 0.0, 1.0)
                part = load(d_peaks[r], i, j) / count
                for t in range(T):
                    store(select(largest - load(x[r, i], t, j), 0.0, part), d_x[r, i], t, j)


@njit(error_model="numpy", nogil=True, cache=True, no_cfunc_wrapper=True, _nrt=False)
def energies(queries, keys, vector, outputs):
    """outputs (R, n, U, T) from queries (R, n, U, H), keys (R, n, H, T) and vector (R, H)."""
    for r in range(outputs.shape[0]):
        for i in range(outputs.shape[1]):
            energies_of(strided(outputs[r, i]), strided(queries[r, i]), strided(keys[r, i]), vector[r])


@njit(error_model="numpy", nogil=True, cache=True, no_cfunc_wrapper=True, _nrt=False)
def energies_gradient(d_outputs, queries, keys, vector, d_queries, d_keys, d_vector):
    """d_queries, and d_keys and d_vector, zeros before."""
    for r in range(d_outputs.shape[0]):
        for i in range(d_outputs.shape[1]):
            energies_adjoint(
                strided(d_outputs[r, i]), strided(queries[r, i]), strided(keys[r, i]), vector[r],
                strided(d_queries[r, i]), strided(d_keys[r, i]), d_vector[r],
            )  # fmt: skip
