"""Loops against the same loops in NumPy."""

import croton as ct
import croton.tensor as T
import numpy as np
import pytest
from croton.tensor.shared_randomstreams import RandomStreams

RNG = np.random.default_rng(5)


def close(made, wanted, tolerance=1e-10):
    made, wanted = np.asarray(made), np.asarray(wanted)
    assert made.shape == wanted.shape
    np.testing.assert_allclose(made, wanted, rtol=tolerance, atol=tolerance)


def numeric_gradient(f, x, eps=1e-6):
    """Central differences of a scalar function of one array."""
    x = np.array(x, dtype=float)
    result = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        old = x[i]
        x[i] = old + eps
        above = f(x)
        x[i] = old - eps
        result[i] = (above - f(x)) / (2 * eps)
        x[i] = old
    return result


# --- what bodies are given and give


def test_powers_as_in_theanos_manual():
    k, A = T.iscalar("k"), T.vector("A")
    result, updates = ct.scan(
        fn=lambda prior_result, A: prior_result * A,
        outputs_info=T.ones_like(A),
        non_sequences=A,
        n_steps=k,
    )
    power = ct.function(inputs=[A, k], outputs=result[-1], updates=updates)
    close(power(np.arange(10.0), 2), np.arange(10.0) ** 2)
    close(power(np.arange(10.0), 4), np.arange(10.0) ** 4)


def test_polynomial_as_in_theanos_manual():
    coefficients, x = T.vector("coefficients"), T.scalar("x")
    components, _ = ct.scan(
        fn=lambda coefficient, power, free: coefficient * (free**power),
        outputs_info=None,
        sequences=[coefficients, T.arange(10000)],
        non_sequences=x,
    )
    f = ct.function([coefficients, x], components.sum())
    assert f(np.array([1.0, 0, 2]), 3) == 19.0


def test_taps_of_sequences_and_outputs():
    """The recurrent network of Theano's manual, with its order of arguments."""
    W, W_in_1, W_in_2, W_feedback, W_out = (T.matrix(n) for n in "W W1 W2 Wf Wo".split())
    u, x0, y0 = T.matrix("u"), T.vector("x0"), T.matrix("y0")

    def step(u_tm4, u_t, x_tm3, x_tm1, y_tm1, W, W_in_1, W_in_2, W_feedback, W_out):
        x_t = T.tanh(
            T.dot(x_tm1, W) + T.dot(u_t, W_in_1) + T.dot(u_tm4, W_in_2) + T.dot(y_tm1, W_feedback)
        )
        return [x_t, T.dot(x_tm3, W_out)]

    xs = T.matrix("xs")
    (x_vals, y_vals), _ = ct.scan(
        step,
        sequences=dict(input=u, taps=[-4, -0]),
        outputs_info=[dict(initial=xs, taps=[-3, -1]), x0],
        non_sequences=[W, W_in_1, W_in_2, W_feedback, W_out],
        strict=True,
    )
    f = ct.function([W, W_in_1, W_in_2, W_feedback, W_out, u, xs, x0], [x_vals, y_vals], on_unused_input="ignore")
    n, m, k, steps = 3, 2, 4, 9
    vW, v1, v2, vf, vo = (RNG.normal(size=s) * 0.4 for s in ((n, n), (m, n), (m, n), (k, n), (n, k)))
    vu, vxs, vy = RNG.normal(size=(steps, m)), RNG.normal(size=(3, n)), RNG.normal(size=k)
    made = f(vW, v1, v2, vf, vo, vu, vxs, vy)
    past, y, wanted_x, wanted_y = list(vxs), vy, [], []
    for t in range(4, steps):
        x_t = np.tanh(past[-1] @ vW + vu[t] @ v1 + vu[t - 4] @ v2 + y @ vf)
        y = past[-3] @ vo
        past.append(x_t)
        wanted_x.append(x_t)
        wanted_y.append(y)
    close(made[0], wanted_x)
    close(made[1], wanted_y)


def test_orders_in_which_a_body_may_answer():
    s = ct.shared(1.0, "s")
    x = T.vector("x")
    stop = ct.until(x[0] > 100)
    for answer in (
        lambda a: a,
        lambda a: [a],
        lambda a: (a, {s: s + 1}),
        lambda a: ([a], [(s, s + 1)]),
        lambda a: ({s: s + 1}, a),
        lambda a: (a, ct.scan_module.until(x[0] > 100)),
        lambda a: (a, {s: s + 1}, stop),
        lambda a: ([a], [(s, s + 1)], stop),
    ):
        output, updates = ct.scan(answer, x)
        s.set_value(1.0)
        f = ct.function([x], output, updates=updates)
        close(f(np.arange(4.0)), np.arange(4.0))
        assert s.get_value() == (5.0 if updates else 1.0)
    outputs, updates = ct.scan(lambda a: {s: s * a}, x)
    assert outputs is None and list(updates) == [s] and isinstance(updates, ct.OrderedUpdates)
    outputs, _ = ct.scan(lambda a: (a, a + 1), x)
    assert isinstance(outputs, list) and len(outputs) == 2
    outputs, _ = ct.scan(lambda a: a, x, return_list=True)
    assert isinstance(outputs, list) and len(outputs) == 1


def test_names_of_theano():
    import croton.scan_module as module
    from croton import foldl, foldr, map, reduce, scan, scan_checkpoints, until  # noqa: A004, F401
    from croton.scan_module.scan_utils import until as again

    assert module.until is until is again and module.scan is scan is ct.scan


def test_map_and_folds():
    x, h = T.vector("x"), T.scalar("h")

    def body(a, p):
        return p * 2 + a

    left, _ = ct.foldl(body, x, h)
    right, _ = ct.foldr(body, x, h)
    back, _ = ct.reduce(body, x, h, go_backwards=True)
    pair, _ = ct.reduce(lambda a, p, q: (p + a, q * a), x, [h, h])
    squares, _ = ct.map(lambda a, c: a * a + c, x, non_sequences=h, go_backwards=True)
    f = ct.function([x, h], [left, right, back, *pair, squares])
    v = np.array([1.0, 2, 5])
    assert [float(r) for r in f(v, 3.0)[:5]] == [37.0, 49.0, 49.0, 11.0, 30.0]
    close(f(v, 3.0)[5], [28.0, 7.0, 4.0])


def test_float32_states_stay_float32():
    assert ct.config.floatX == "float64"
    x, h = T.fvector("x"), T.fscalar("h")
    r, _ = ct.scan(lambda a, p: 0.5 * T.tanh(p * 2.0 + a) + 1, x, h)
    g = ct.grad(r.sum(), [x, h])
    f = ct.function([x, h], [r, *g])
    for result in f(np.ones(4, "float32"), np.float32(0.1)):
        assert result.dtype == np.float32
    r, _ = ct.scan(lambda p: p * 0.5, outputs_info=np.float32(3.0), n_steps=3)
    assert ct.function([], r)().dtype == np.float32


# --- how often


@pytest.mark.parametrize("steps", [0, 1, 3, 7])
@pytest.mark.parametrize("back", [False, True])
def test_symbolic_lengths(steps, back):
    x, h, n = T.vector("x"), T.scalar("h"), T.lscalar("n")
    r, _ = ct.scan(lambda a, p: p * 2 + a, x, h, n_steps=n, go_backwards=back)
    g = ct.grad(r.sum(), [x, h])
    f = ct.function([x, h, n], [r, *g])
    v = np.arange(1.0, 8.0)
    order = v[::-1] if back else v
    p, wanted = 0.5, []
    for t in range(steps):
        p = p * 2 + order[t]
        wanted.append(p)
    made = f(v, 0.5, steps)
    close(made[0], np.array(wanted))
    by_x = np.array([2.0 ** (steps - t) - 1 if t < steps else 0 for t in range(7)])
    close(made[1], by_x[::-1] if back else by_x)
    close(made[2], 2.0 ** (steps + 1) - 2)


def test_no_steps():
    x, m = T.vector("x"), T.matrix("m")
    r, _ = ct.scan(lambda row: (row * 2, T.dot(row, m.T)), m)
    f = ct.function([m], r)
    assert [v.shape for v in f(np.ones((0, 3)))] == [(0, 3), (0, 0)]
    r, _ = ct.scan(lambda a, p: p + a, x, np.float64(1))
    f = ct.function([x], [r, ct.grad(r.sum(), x)])
    assert [v.shape for v in f(np.ones(0))] == [(0,), (0,)]


@pytest.mark.parametrize("steps", [100_000])
def test_long_loops(steps):
    r, h = T.scalar("r"), T.scalar("h")
    values, _ = ct.scan(lambda p: r * p * (1 - p), outputs_info=h, n_steps=steps)
    f = ct.function([r, h], [values, values[-1]])
    made = f(3.0, 0.3)
    p = 0.3
    for _ in range(steps):
        p = 3.0 * p * (1 - p)
    close(made[1], p)
    assert made[0].shape == (steps,)
    close(made[0][-1], p)


def test_long_inputs():
    x = T.matrix("x")
    r, _ = ct.scan(lambda a, p: T.tanh(p + a), x, T.zeros_like(x[0]))
    f = ct.function([x], [r[-1], ct.grad(r[-1].sum(), x)])
    v = RNG.normal(size=(50_000, 3))
    p, states = np.zeros(3), []
    for row in v:
        p = np.tanh(p + row)
        states.append(p)
    g, wanted = np.ones(3), np.zeros_like(v)
    for t in range(len(v) - 1, len(v) - 200, -1):
        g = g * (1 - states[t] ** 2)
        wanted[t] = g
    made = f(v)
    close(made[0], p)
    close(made[1], wanted)


# --- until


def test_until_keeps_the_step_that_stops():
    limit = T.scalar("limit")
    powers, _ = ct.scan(
        lambda previous, limit: (previous * 2, ct.until(previous * 2 > limit)),
        outputs_info=T.constant(1.0),
        non_sequences=limit,
        n_steps=1024,
    )
    f = ct.function([limit], powers)
    close(f(45), [2, 4, 8, 16, 32, 64])
    close(f(1), [2])
    close(f(0.0), [2])


def test_gradients_through_until():
    h, w, x = T.scalar("h"), T.scalar("w"), T.vector("x")
    values, _ = ct.scan(lambda a, p: (p * w + a, ct.until(p * w + a > 20)), x, h)
    cost = values[-1] + 0.1 * T.sqr(values).sum()
    f = ct.function([x, h, w], [values, cost, *ct.grad(cost, [x, h, w])])

    def reference(x, h, w):
        values = []
        for a in x:
            h = h * w + a
            values.append(h)
            if h > 20:
                break
        return values, values[-1] + 0.1 * np.sum(np.square(values))

    for v, start in (([1.0, 2, 3, 4, 5, 6], 1.0), ([30.0, 1, 1], 0.5), ([0.1] * 4, 0.2)):
        v = np.array(v)
        made = f(v, start, 2.0)
        values, cost = reference(v, start, 2.0)
        close(made[0], values)
        close(made[1], cost)
        close(made[2], numeric_gradient(lambda x: reference(x, start, 2.0)[1], v), 1e-5)  # noqa: B023
        close(made[3], numeric_gradient(lambda h: reference(v, h, 2.0)[1], start), 1e-5)  # noqa: B023
        close(made[4], numeric_gradient(lambda w: reference(v, start, w)[1], 2.0), 1e-5)  # noqa: B023


# --- gradients


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("last", [True, False])
def test_truncated_gradients(depth, last):
    """Against the loop written out and cut before its last `depth` steps."""
    steps = 5
    x, h, w = T.vector("x"), T.scalar("h"), T.scalar("w")
    r, _ = ct.scan(lambda a, p: T.tanh(p * w + a), x, h, truncate_gradient=depth)
    p, all_values = h, []
    for t in range(steps):
        cut = steps - t > depth
        before = ct.gradient.disconnected_grad(p) if t > 0 and steps - t == depth else p
        a, weight = (ct.gradient.zero_grad(v) if cut else v for v in (x[t], w))
        p = T.tanh(before * weight + a)
        all_values.append(p)
    seen = [v for t, v in enumerate(all_values) if steps - t <= depth]
    flat = all_values[-1] if last else sum(seen)
    looped = ct.grad(r[-1] if last else r.sum(), [x, h, w])
    written_out = ct.grad(flat, [x, h, w], disconnected_inputs="ignore")
    f = ct.function([x, h, w], looped)
    g = ct.function([x, h, w], written_out, on_unused_input="ignore")
    v = RNG.normal(size=steps)
    for made, wanted in zip(f(v, 0.3, 0.7), g(v, 0.3, 0.7)):
        close(made, wanted)


def test_nested_loops_and_their_gradients():
    x, h, w = T.vector("x"), T.scalar("h"), T.scalar("w")

    def outer(a, p):
        inner, _ = ct.scan(lambda b, q: T.tanh(q * w + b * a), x, p)
        return inner[-1]

    r, _ = ct.scan(outer, x, h)
    f = ct.function([x, h, w], [r.sum(), *ct.grad(r.sum(), [x, h, w])])

    def reference(x, p, w):
        total = 0.0
        for a in x:
            for b in x:
                p = np.tanh(p * w + b * a)
            total += p
        return total

    v = np.array([0.3, -0.2, 0.8, 0.5])
    made = f(v, 0.4, 0.7)
    close(made[0], reference(v, 0.4, 0.7))
    close(made[1], numeric_gradient(lambda x: reference(x, 0.4, 0.7), v), 1e-6)
    close(made[2], numeric_gradient(lambda h: reference(v, h, 0.7), 0.4), 1e-6)
    close(made[3], numeric_gradient(lambda w: reference(v, 0.4, w), 0.7), 1e-6)


def test_gradients_of_loops_whose_inner_loops_differ_in_length():
    x, h, w = T.vector("x"), T.scalar("h"), T.scalar("w")

    def body(a, p):
        v, _ = ct.while_loop(lambda v, k: v < 5.0, lambda v, k: [v * w + 0.1, k + 1], [p * a, 0])
        trace, _ = ct.scan(lambda q: (q * 2.0, ct.until(q > v)), outputs_info=a, n_steps=30)
        return T.tanh(p + a) + 0.01 * v + 0.001 * trace.sum()

    r, _ = ct.scan(body, x, h)
    f = ct.function([x, h, w], [r.sum(), *ct.grad(r.sum(), [x, h, w])])

    def reference(x, p, w):
        total = 0.0
        for a in x:
            v = p * a
            while v < 5.0:
                v = v * w + 0.1
            q, traced = a, 0.0
            for _ in range(30):
                last = q > v
                q *= 2.0
                traced += q
                if last:
                    break
            p = np.tanh(p + a) + 0.01 * v + 0.001 * traced
            total += p
        return total

    v = np.array([0.3, 7.0, 1.2, 0.9])
    made = f(v, 0.8, 1.5)
    close(made[0], reference(v, 0.8, 1.5))
    close(made[1], numeric_gradient(lambda x: reference(x, 0.8, 1.5), v), 1e-6)
    close(made[2], numeric_gradient(lambda h: reference(v, h, 1.5), 0.8), 1e-6)
    close(made[3], numeric_gradient(lambda w: reference(v, 0.8, w), 1.5), 1e-6)


@pytest.mark.parametrize("how", [{"checkpoint": 4}, {"checkpoint": "sqrt"}, {"checkpoint_bytes": 200}])
def test_checkpoints_change_no_result(how):
    x, h, w = T.matrix("x"), T.vector("h"), T.matrix("w")

    def results(**how):
        r, _ = ct.scan(lambda a, p: T.tanh(T.dot(p, w) + a), x, h, **how)
        cost = T.sqr(r[-1]).sum()
        return ct.function([x, h, w], [cost, *ct.grad(cost, [x, h, w])])

    values = RNG.normal(size=(11, 3)), RNG.normal(size=3), RNG.normal(size=(3, 3))
    for made, wanted in zip(results(**how)(*values), results()(*values)):
        close(made, wanted)


@pytest.mark.parametrize("how", [{"checkpoint": 4}, {"checkpoint": "sqrt"}, {"checkpoint_bytes": 200}])
@pytest.mark.parametrize("ends", ["until", "truncated"])
def test_checkpoints_of_steps_that_show_when_the_loop_has_run(how, ends):
    x, h, w = T.matrix("x"), T.vector("h"), T.matrix("w")

    def body(a, p):
        r = T.tanh(T.dot(p, w) + a)
        return (r, ct.until(a[0] > 2)) if ends == "until" else r

    def results(**how):
        if ends == "truncated":
            how["truncate_gradient"] = 6
        r, _ = ct.scan(body, x, h, **how)
        cost = T.sqr(r[-1]).sum() + r.sum()
        return ct.function([x, h, w], [cost, *ct.grad(cost, [x, h, w])])

    values = np.clip(RNG.normal(size=(11, 3)), -1, 1), RNG.normal(size=3), RNG.normal(size=(3, 3))
    values[0][8, 0] = 3
    for made, wanted in zip(results(**how)(*values), results()(*values)):
        close(made, wanted)


def test_scan_checkpoints_of_a_loop_that_stops():
    x, h = T.vector("x"), T.scalar("h")

    def body(a, p):
        return p * 0.5 + a, ct.until(a > 3)

    every, _ = ct.scan_checkpoints(body, x, [h], save_every_N=3)
    full, _ = ct.scan(body, x, h)
    f = ct.function([x, h], [every, full, *ct.grad(every.sum(), [x, h])])
    for last in (1, 2, 3, 4, 8, 9):
        values = np.full(9, 0.25)
        values[last - 1] = 4
        made = f(values, 0.3)
        ends = [min(k + 3, last) - 1 for k in range(0, last, 3)]
        close(made[0], made[1][ends])
        slopes = [sum(0.5 ** (end - k) for end in ends if end >= k) for k in range(9)]
        close(made[2], slopes)


def test_scan_checkpoints_gives_the_ends_of_segments():
    x, h = T.vector("x"), T.scalar("h")
    every, _ = ct.scan_checkpoints(lambda a, p: p * 0.5 + a, x, [h], save_every_N=3)
    full, _ = ct.scan(lambda a, p: p * 0.5 + a, x, h)
    f = ct.function([x, h], [every, full, *ct.grad(every[-1], [x, h]), *ct.grad(full[-1], [x, h])])
    for steps in (1, 2, 3, 4, 8, 9):
        made = f(RNG.normal(size=steps), 0.3)
        ends = [min(k + 3, steps) - 1 for k in range(0, steps, 3)]
        close(made[0], made[1][ends])
        close(made[2], made[4])
        close(made[3], made[5])


# --- recurrences of one number, which are no loops


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_recurrences_of_one_number(dtype):
    a, b, h = T.vector("a", dtype=dtype), T.vector("b", dtype=dtype), T.scalar("h", dtype=dtype)

    def discounted(factor, value, state):
        return factor * state + value

    forwards, _ = ct.scan(discounted, [a, b], h)
    backwards, _ = ct.scan(discounted, [a, b], h, go_backwards=True)
    highest, _ = ct.scan(lambda value, state: T.maximum(state, value), b, h)
    outputs = [forwards, backwards, highest[-1], *ct.grad(T.sqr(forwards).sum(), [a, b, h])]
    f = ct.function([a, b, h], outputs)
    plain = ct.function([a, b, h], outputs, mode="quick")
    for steps in (1, 7, 8, 100):
        values = [RNG.uniform(-1.1, 1.1, size=steps).astype(dtype) for _ in range(2)]
        start = np.array(0.5, dtype)
        made, state = f(*values, start), np.float64(start)
        for wanted, one in zip(plain(*values, start), made):
            close(one, wanted, 1e-4 if dtype == "float32" else 1e-12)
        for t in range(steps):
            state = values[0][t] * state + values[1][t]
        close(made[0][-1], state, 1e-5 if dtype == "float32" else 1e-12)
        assert made[2] == max(values[1].max(), start)


# --- for, while, cond


def test_for_loop():
    n, x = T.lscalar("n"), T.scalar("x")
    total, product = ct.for_loop(n, [0, x], lambda i, s, p: [s + i, p * 2.0])
    single = ct.for_loop(n, x, lambda i, p: p + 1.0)
    f = ct.function([n, x], [total, product, single, ct.grad(product, x)])
    for count in (0, 1, 6):
        made = f(count, 1.5)
        assert made[0] == sum(range(count)) and made[1] == 1.5 * 2**count
        assert made[2] == 1.5 + count and made[3] == 2**count


def test_while_loop():
    x = T.scalar("x")
    v, rounds = ct.while_loop(lambda v, k: v < 100.0, lambda v, k: [v * 3.0, k + 1], [x, 0])
    limited = ct.while_loop(lambda v: v > 0.0, lambda v: v + 1.0, x, limit=4)
    f = ct.function([x], [v, rounds, limited, ct.grad(v, x)])
    assert [float(r) for r in f(1.0)] == [243.0, 5.0, 5.0, 243.0]
    assert [float(r) for r in f(100.0)] == [100.0, 0.0, 104.0, 1.0]
    never = ct.function([x], ct.while_loop(lambda v: v > 0.0, lambda v: v + 1.0, x, limit=4))
    assert float(never(-1.0)) == -1.0


def test_cond_computes_one_side():
    x = T.vector("x")
    y = ct.cond(x.shape[0] > 2, lambda x: x[2], lambda x: -x[0], x)
    f = ct.function([x], y)
    assert f([1.0, 2, 3]) == 3.0 and f([1.0]) == -1.0


# --- shared variables and random numbers


def test_shared_variables_change_from_step_to_step():
    s, x = ct.shared(1.0, "s"), T.vector("x")
    r, updates = ct.scan(lambda a: (a * s, {s: s + a}), x)
    f = ct.function([x], r, updates=updates)
    close(f([1.0, 2, 3]), [1, 2 * 2, 3 * 4])
    assert s.get_value() == 7.0
    close(f([1.0, 1]), [7, 8])
    assert s.get_value() == 9.0


def test_shared_variables_keep_their_values_when_a_step_fails():
    s, x = ct.shared(1.0, "s"), T.vector("x")
    other = ct.shared(np.arange(3.0), "other")

    def body(a):
        return T.assert_(a, a < 3.0, "too large"), {s: s + a}

    r, updates = ct.scan(body, x)
    f = ct.function([x], r, updates=[*updates.items(), (other, other + 1)])
    f([1.0, 2.0])
    before = s.get_value(), other.get_value()
    with pytest.raises(ct.ArgumentError, match="in step 2 of 3"):
        f([1.0, 2.0, 3.0])
    assert s.get_value() == before[0] == 4.0
    close(other.get_value(), before[1])


def draws_outside(seed, count, draw):
    """So many draws made one a call."""
    f = ct.function([], draw(RandomStreams(seed)))
    return np.array([f() for _ in range(count)])


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.normal((2,)),
        lambda rng: rng.uniform((3,), low=-1.0),
        lambda rng: rng.random_integers((2,), 0, 1000),
        lambda rng: rng.permutation(n=5),
    ],
    ids=["normal", "uniform", "integers", "permutation"],
)
def test_draws_inside_are_those_made_outside(draw):
    rng = RandomStreams(42)
    values, updates = ct.scan(lambda: draw(rng), n_steps=4)
    f = ct.function([], values, updates=updates)
    first, second = f(), f()
    wanted = draws_outside(42, 8, draw)
    np.testing.assert_array_equal(first, wanted[:4])
    np.testing.assert_array_equal(second, wanted[4:])
    assert len({row.tobytes() for row in wanted}) == 8


def test_a_draw_made_before_the_loop_moves_on_inside():
    rng = RandomStreams(7)
    noise = rng.normal(())
    x = T.vector("x")
    values, updates = ct.scan(lambda a, p: p + a * noise, x, np.float64(0))
    f = ct.function([x], values, updates=updates)
    wanted = draws_outside(7, 6, lambda rng: rng.normal(()))
    close(f(np.ones(3)), np.cumsum(wanted[:3]))
    close(f(np.ones(3)), np.cumsum(wanted[3:]))


def test_draws_in_nested_loops():
    """The outer body hands the inner loop's updates on, as in Theano."""
    rng = RandomStreams(3)

    def outer():
        inner, updates = ct.scan(lambda: rng.normal(()), n_steps=2)
        return inner, updates

    values, updates = ct.scan(outer, n_steps=3)
    f = ct.function([], values, updates=updates)
    wanted = draws_outside(3, 12, lambda rng: rng.normal(())).reshape(2, 3, 2)
    close(f(), wanted[0])
    close(f(), wanted[1])


def test_random_walks_have_gradients():
    rng, scale = RandomStreams(11), T.scalar("scale")
    path, updates = ct.scan(lambda p: p + scale * rng.normal(()), outputs_info=np.float64(0), n_steps=20)
    f = ct.function([scale], [path[-1], ct.grad(path[-1], scale)], updates=updates)
    noise = draws_outside(11, 40, lambda rng: rng.normal(()))
    for k in (0, 1):
        end, slope = f(2.0)
        close(end, 2 * noise[20 * k : 20 * k + 20].sum())
        close(slope, noise[20 * k : 20 * k + 20].sum())


# --- whose lines they are


def test_nodes_of_bodies_have_their_own_lines():
    x = T.vector("x")
    inside = []

    def body(a):
        inside.append(T.exp(a))
        return inside[0]

    r, _ = ct.scan(body, x)
    here = test_nodes_of_bodies_have_their_own_lines.__code__.co_firstlineno
    assert inside[0].owner.site[1] == here + 5
    assert r.owner.site[1] == here + 8


def test_explanations_of_recurrent_gradients():
    """Sizes are found twice: once to build, once to explain. Both times every slice has its width."""
    random, n = np.random.RandomState(1), 4
    x = T.tensor("float32", shape=(5, 3, n), name="x")
    h = T.tensor("float32", shape=(3, n), name="h")
    w, u, b, k = (
        ct.shared(random.normal(size=size).astype("float32"), shape=size)
        for size in ((n, 3 * n), (n, 3 * n), (3 * n,), (3 * n,))
    )

    def step(x, h, w, u, b, k):
        z, y = T.dot(x, w) + b, T.dot(h, u) + k
        r, s = T.sigmoid(z[:, :n] + y[:, :n]), T.sigmoid(z[:, n : 2 * n] + y[:, n : 2 * n])
        return (1 - s) * T.tanh(z[:, 2 * n :] + r * y[:, 2 * n :]) + s * h

    states, _ = ct.scan(step, sequences=x, outputs_info=h, non_sequences=[w, u, b, k])
    loss = T.sqr(states).mean()
    f = ct.function([x, h], [loss] + ct.grad(loss, [w, u, b, k]))
    assert "gradient of" in f.explain() or "scan" in f.explain()
