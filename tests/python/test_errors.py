"""A table of wrong programs: the class of exception and the words their users need.

A phrase that begins with "@" stands for the place ("file:line") of the first line of the program
that holds the rest of the phrase.
"""

import inspect
import os
import signal
import struct
import threading
import time

import croton as ct
import croton.tensor as T
import numpy as np
import pytest

HERE = os.path.basename(__file__)
V3, V4 = np.arange(3.0), np.arange(4.0)
M23, M24 = np.arange(6.0).reshape(2, 3), np.arange(8.0).reshape(2, 4)

ROWS = []


def row(exception, *phrases):
    def add(program):
        ROWS.append(pytest.param(program, exception, phrases, id=program.__name__))
        return program

    return add


# --- sizes


@row(ct.ShapeError, "3", "4", "axis 0", "f64[3]", "f64[4]", "@z = x + y", "z = x + y", "^")
def sizes_known_when_building():
    x = T.TensorType("float64", (3,))("x")
    y = T.TensorType("float64", (4,))("y")
    z = x + y
    return z


@row(ct.ShapeError, "3", "4", "(3,)", "(4,)", "@T.exp(x + y)", "@x = T", "@y = T", "x = T.dvector", "^")
def sizes_known_when_running():
    x = T.dvector("x")
    y = T.dvector("y")
    f = ct.function([x, y], T.exp(x + y))
    f(V3, V4)


@row(ct.ShapeError, "(2, 3)", "(2, 4)", "@T.dot(a, b)", "@a = T", "@b = T")
def inner_sizes_of_a_product():
    a = T.dmatrix("a")
    b = T.dmatrix("b")
    f = ct.function([a, b], T.dot(a, b))
    f(M23, M24)


@row(ct.ShapeError, "6", "(4, 2)", "@x.reshape")
def reshape_to_another_number_of_elements():
    x = T.dmatrix("x")
    f = ct.function([x], x.reshape((4, 2)))
    f(M23)


@row(ct.ShapeError, "3", "4", "axis 1", "@T.concatenate")
def concatenation_of_other_widths():
    a = T.dmatrix("a")
    b = T.dmatrix("b")
    f = ct.function([a, b], T.concatenate([a, b], axis=0))
    f(M23, M24)


@row(ct.ShapeError, "3", "4", "@T.sqr(x - y)", "@x = T")
def sizes_in_a_gradient():
    x = T.dvector("x")
    y = T.dvector("y")
    cost = T.sqr(x - y).sum()
    ct.function([x, y], ct.grad(cost, x))(V3, V4)


@row(ct.ShapeError, "3", "4", "@T.sqr(x - y)")
def sizes_inside_of_a_called_graph():
    x = T.dvector("x")
    y = T.dvector("y")
    distance = ct.OpFromGraph([x, y], [T.sqr(x - y).sum()])
    a = T.dvector("a")
    b = T.dvector("b")
    ct.function([a, b], distance(a, b))(V3, V4)


# --- dtypes and ranks


@row(ct.TensorTypeError, "bool", "@a - b")
def bool_minus_bool():
    a = T.TensorType("bool", (None,))("a")
    b = T.TensorType("bool", (None,))("b")
    a - b


@row(ct.ArgumentError, "1000", "int8", "@x + 1000")
def a_number_too_large_for_its_dtype():
    x = T.bvector("x")
    x + 1000


@row(ct.TensorTypeError, "'x'", "float32", "float64", "allow_input_downcast", "@x = T")
def float64_for_a_float32_input():
    x = T.fvector("x")
    ct.function([x], x * 2)(V3)


@row(ct.TensorTypeError, "'x'", "rank 1", "rank 2", "(2, 3)", "@x = T")
def a_matrix_for_a_vector():
    x = T.dvector("x")
    ct.function([x], x * 2)(M23)


@row(TypeError, "'x'")
def a_text_for_an_array():
    x = T.dvector("x")
    ct.function([x], x * 2)("three")


@row(TypeError, "'x'")
def objects_for_an_array():
    x = T.dvector("x")
    ct.function([x], x * 2)(np.array([object(), None]))


@row(TypeError, "neither true nor false", "ifelse")
def a_variable_as_a_condition():
    x = T.dscalar("x")
    if x > 0:
        pass


@row(TypeError, "dict")
def arithmetic_with_a_dictionary():
    T.dvector("x") + {}


@row(ct.TensorTypeError, "float63", "float64")
def an_unknown_dtype():
    T.TensorType("float63", (None,))


@row(ct.TensorTypeError, "float63", "float64")
def a_cast_to_an_unknown_dtype():
    T.cast(T.dvector("x"), "float63")


@row(TypeError, "len")
def the_length_of_a_variable():
    len(T.dvector("x"))


# --- axes and positions


@row(ct.OutOfBoundsError, "axis 2", "rank 2", "@x.sum(axis=2)")
def an_axis_too_many():
    x = T.dmatrix("x")
    x.sum(axis=2)


@row(ct.ArgumentError, "twice", "@x.sum(axis")
def an_axis_twice():
    x = T.dmatrix("x")
    x.sum(axis=(0, -2))


@row(ct.OutOfBoundsError, "index 5", "size 3", "@x[i]", "@x = T")
def a_position_beyond_the_size():
    x = T.dvector("x")
    i = T.lscalar("i")
    ct.function([x, i], x[i] * 2)(V3, 5)


@row(ct.OutOfBoundsError, "f64[?,?]", "@x[0, 0, 0]")
def more_items_than_axes():
    x = T.dmatrix("x")
    x[0, 0, 0]


@row(TypeError, "integer", "@x[1.5]")
def a_float_as_a_position():
    x = T.dvector("x")
    x[1.5]


@row(TypeError, "set_subtensor", "set_subtensor(x[i]")
def assignment_to_a_position():
    x = T.dvector("x")
    x[0] = 1


# --- functions


@row(ct.MissingInputError, "'y'", "not among the inputs", "@y = T")
def an_input_is_missing():
    x = T.dvector("x")
    y = T.dvector("y")
    ct.function([x], x + y)


@row(ct.UnusedInputError, "'y'", "on_unused_input", "@y = T")
def an_input_is_not_used():
    x = T.dvector("x")
    y = T.dvector("y")
    ct.function([x, y], x * 2)


@row(ct.ArgumentError, "scream", "raise", "warn", "ignore")
def an_unknown_word_for_unused_inputs():
    x = T.dvector("x")
    ct.function([x], x * 2, on_unused_input="scream")


@row(ct.UsageError, "'y'", "missing", "@y = T")
def an_argument_is_missing():
    x = T.dvector("x")
    y = T.dvector("y")
    ct.function([x, y], x + y)(V3)


@row(ct.UsageError, "1", "2")
def an_argument_too_many():
    x = T.dvector("x")
    ct.function([x], x * 2)(V3, V3)


@row(ct.UsageError, "'z'", "x")
def an_unknown_keyword():
    x = T.dvector("x")
    ct.function([x], x * 2)(V3, z=V3)


@row(ct.UsageError, "turbo", "fast", "FAST_RUN")
def an_unknown_mode():
    x = T.dvector("x")
    ct.function([x], x * 2, mode="turbo")


@row(ct.TensorTypeError, "'x'", "shared", "@x = T")
def an_update_of_an_input():
    x = T.dvector("x")
    ct.function([x], x * 2, updates=[(x, x + 1)])


@row(ct.TensorTypeError, "'w'", "f32[?]", "f64[?]", "cast", "@w = ct", "@w * 2.5 *")
def an_update_of_another_dtype():
    w = ct.shared(np.zeros(3, "float32"), "w")
    x = T.dvector("x")
    ct.function([x], [], updates=[(w, w * 2.5 * x)])


@row(ct.TensorTypeError, "'x'", "f64[?]", "f64[?,?]", "@x = T", "@y = T")
def a_replacement_of_another_rank():
    x = T.dvector("x")
    y = T.dmatrix("y")
    ct.function([y], x * 2, givens={x: y})


@row(ct.TensorTypeError, "'w'", "f64", "f32", "@w = ct")
def a_shared_variable_set_to_another_dtype():
    w = ct.shared(np.zeros(3, "float32"), "w")
    w.set_value(np.zeros((3, 3)))


@row(TypeError, "Variable")
def an_output_that_is_no_variable():
    x = T.dvector("x")
    ct.function([x], "x * 2")


@row(ct.MissingInputError, "'x'", "@x = T")
def eval_without_a_value():
    x = T.dvector("x")
    (x * 2).eval()


@row(ct.ArgumentError, "positive", "@T.assert_(")
def an_assertion():
    x = T.dvector("x")
    ct.function([x], T.assert_(x, T.all(x > 0), "x must be positive"))(V3)


# --- gradients


@row(ct.TensorTypeError, "scalar", "f64[?]", "@x ** 2")
def a_cost_that_is_no_scalar():
    x = T.dvector("x")
    ct.grad(x ** 2, x)


@row(ct.DisconnectedInputError, "y (f64[?]", "does not depend on", "disconnected", "@y = T")
def a_cost_that_does_not_depend():
    x = T.dvector("x")
    y = T.dvector("y")
    ct.grad((x ** 2).sum(), y)


class Plain(ct.Op):
    itypes = [T.dvector]
    otypes = [T.dvector]

    def perform(self, x):
        return x * 2


@row(ct.NotDifferentiableError, "Plain", "grad", "@Plain()(x)")
def an_op_without_a_gradient():
    x = T.dvector("x")
    y = Plain()(x)
    ct.grad(y.sum(), x)


class WrongGradient(Plain):
    def grad(self, inputs, output_grads):
        return [3 * output_grads[0]]


@row(ct.GradientError, "input 0", "element")
def a_wrong_gradient():
    ct.verify_grad(lambda x: WrongGradient()(x), [V3])


# --- ops of the user's own


class Stuck(Plain):
    def perform(self, x):
        raise RuntimeError("the valve is stuck")


@row(ct.ArgumentError, "Stuck.perform", "RuntimeError", "the valve is stuck", "@Stuck()(x)", "(3,)")
def an_op_that_raises():
    x = T.dvector("x")
    y = Stuck()(x)
    ct.function([x], y * 2)(V3)


class OtherDtype(Plain):
    def perform(self, x):
        return x.astype("float32")


@row(ct.TensorTypeError, "OtherDtype", "float32", "float64", "@OtherDtype()(x)")
def an_op_that_gives_another_dtype():
    x = T.dvector("x")
    y = OtherDtype()(x)
    ct.function([x], y * 2)(V3)


class OtherRank(Plain):
    def perform(self, x):
        return x[None, :]


@row(ct.TensorTypeError, "OtherRank", "(1, 3)", "f64[?]", "@OtherRank()(x)")
def an_op_that_gives_another_rank():
    x = T.dvector("x")
    y = OtherRank()(x)
    ct.function([x], y * 2)(V3)


class Nothing(Plain):
    def perform(self, x):
        return None


@row((TypeError, ValueError), "Nothing", "@Nothing()(x)")
def an_op_that_gives_nothing():
    x = T.dvector("x")
    y = Nothing()(x)
    ct.function([x], y * 2)(V3)


@row(ct.UsageError, "Plain", "1", "2")
def an_op_with_too_many_arguments():
    x = T.dvector("x")
    Plain()(x, x)


class NoTypes(ct.Op):
    def perform(self, x):
        return x


@row((TypeError, ValueError), "NoTypes", "otypes", "infer", "@NoTypes()(x)")
def an_op_without_types():
    x = T.dvector("x")
    NoTypes()(x)


@row(ct.TensorTypeError, "f64[?]", "f64[?,?]", "@ct.ifelse(")
def choices_of_other_ranks():
    x = T.dvector("x")
    y = T.dmatrix("y")
    ct.ifelse(T.lscalar("c"), x, y)


# --- loops


@row(ct.ArgumentError, "different lengths", "strict", "'x'", "'y'", "@ct.scan")
def sequences_of_different_lengths_under_strict():
    x = T.dvector("x")
    y = T.dvector("y")
    r, _ = ct.scan(lambda a, b: a + b, [x, y], strict=True)
    ct.function([x, y], r)(V3, V4)


@row(ct.ShapeError, "'h'", "f64[3]", "f64[6]", "keeps its sizes", "@r, _ = ct.scan")
def a_state_that_grows_known_when_building():
    h = T.TensorType("float64", (3,))("h")
    r, _ = ct.scan(lambda p: T.concatenate([p, p]), outputs_info=h, n_steps=2)


@row(ct.ShapeError, "in step 0 of 2", "the state 'h'", "(6,)", "(3,)", "@r, _ = ct.scan")
def a_state_that_grows():
    h = T.dvector("h")
    n = T.lscalar("n")
    r, _ = ct.scan(lambda p: T.concatenate([p, p]), outputs_info=h, n_steps=n)
    ct.function([h, n], r)(V3, 2)


@row(ct.ShapeError, "in step 0 of 4", "the state 'h'", "(3,)", "(1,)")
def a_state_that_grows_by_broadcasting():
    h, x = T.dvector("h"), T.dmatrix("x")
    r, _ = ct.scan(lambda a, p: T.tanh(p + a), x, h)
    ct.function([h, x], r[-1])(np.ones(1), np.ones((4, 3)))


@row(ct.UsageError, "outputs_info[0]", "[-1, -2]", "no initial value")
def taps_without_an_initial_state():
    x = T.dvector("x")
    ct.scan(lambda a, p, q: p + a, x, [dict(taps=[-1, -2])])


@row(ct.UsageError, "body", "(a, previous)", "1 elements of sequences", "0 past values", "previous")
def a_body_that_wants_a_state_that_is_not_there():
    x = T.dvector("x")

    def body(a, previous):
        return previous + a

    ct.scan(body, x)


@row(ct.TensorTypeError, "the state 'h'", "f32[]", "f64[]", "cast", "@return p + a", "@ct.scan", "@h = T")
def a_state_that_changes_its_dtype():
    x = T.dvector("x")
    h = T.fscalar("h")

    def body(a, p):
        return p + a

    ct.scan(body, x, h)


@row(ct.TensorTypeError, "state 0", "i64[]", "f64[]", "@return p + a")
def a_state_of_an_integer_literal():
    x = T.dvector("x")

    def body(a, p):
        return p + a

    ct.scan(body, x, 0)


@row(ct.TensorTypeError, "the state 'h'", "f64[]", "f64[?]", "rank", "@return p + x")
def a_state_that_changes_its_rank():
    x = T.dvector("x")
    h = T.dscalar("h")

    def body(a, p):
        return p + x

    ct.scan(body, x, h)


@row(ct.OutOfBoundsError, "in step 3 of 4 of walk", "index 3", "size 3", "@return table[i]", "@table = T")
def a_body_that_fails_in_one_step():
    table = T.dvector("table")
    n = T.lscalar("n")

    def body(i):
        return table[i]

    r, _ = ct.scan(body, T.arange(n), name="walk")
    ct.function([table, n], r)(V3, 4)


@row(ct.OutOfBoundsError, "in step 2 of 4 of scan", "in step 3 of 4 of scan", "@return table[i + j]")
def a_loop_in_a_loop_that_fails():
    table = T.dvector("table")
    n = T.lscalar("n")

    def outer(i):
        def inner(j):
            return table[i + j]

        return ct.map(inner, T.arange(n))[0]

    r, _ = ct.map(outer, T.arange(n))
    ct.function([table, n], r)(np.arange(5.0), 4)


@row(ValueError, "'x'", "too short", "taps", "5 positions", "(3,)", "@x = T")
def a_sequence_too_short_for_its_taps():
    x = T.dvector("x")
    r, _ = ct.scan(lambda a, b: a + b, dict(input=x, taps=[-2, 2]))
    ct.function([x], r)(V3)


@row(ct.ShapeError, "5 steps", "'x'", "3 positions", "@ct.scan")
def a_sequence_too_short_for_n_steps():
    x = T.dvector("x")
    r, _ = ct.scan(lambda a, p: p + a, x, np.float64(0), n_steps=5)
    ct.function([x], r)(V3)


@row(ValueError, "'h'", "3 values", "first axis", "(2,)")
def an_initial_state_too_short_for_its_taps():
    h = T.dvector("h")
    r, _ = ct.scan(lambda p, q: p + q, outputs_info=dict(initial=h, taps=[-3, -1]), n_steps=4)
    ct.function([h], r)(np.ones(2))


@row(ct.TensorTypeError, "'h'", "2 values along its first axis", "scalar")
def an_initial_state_without_an_axis_for_its_taps():
    h = T.dscalar("h")
    ct.scan(lambda p, q: p + q, outputs_info=dict(initial=h, taps=[-2, -1]), n_steps=4)


@row(ValueError, "n_steps is -3", "go_backwards")
def negative_steps_known_when_building():
    ct.scan(lambda p: p + 1.0, outputs_info=np.float64(0), n_steps=-3)


@row(ValueError, "-4 steps", "@r, _ = ct.scan", "n ")
def negative_steps():
    n = T.lscalar("n")
    r, _ = ct.scan(lambda p: p + 1.0, outputs_info=np.float64(0), n_steps=n)
    ct.function([n], r)(-4)


@row(ct.UsageError, "shared variable", "'w'", "@w = ct.shared", "non_sequences", "strict")
def a_shared_variable_not_passed_under_strict():
    x = T.dvector("x")
    w = ct.shared(2.0, "w")
    ct.scan(lambda a: a * w, x, strict=True)


@row(ct.UsageError, "taps of outputs are negative", "'h'", "0")
def a_tap_of_the_present():
    h = T.dscalar("h")
    ct.scan(lambda p: p, outputs_info=dict(initial=h, taps=[0]), n_steps=3)


@row(ct.UsageError, "'h'", "twice")
def a_tap_given_twice():
    h = T.dvector("h")
    ct.scan(lambda p, q: p, outputs_info=dict(initial=h, taps=[-2, -2]), n_steps=3)


@row(ct.UsageError, "neither sequences nor n_steps")
def a_loop_without_an_end():
    ct.scan(lambda: 1.0)


@row(ct.UsageError, "gives 2 outputs", "outputs_info has 1")
def more_outputs_than_outputs_info():
    x = T.dvector("x")
    ct.scan(lambda a, p: (a, p), x, np.float64(0))


@row(ct.TensorTypeError, "until", "bool scalar", "b1[?]")
def a_condition_that_is_no_scalar():
    x = T.dvector("x")
    ct.scan(lambda a: (a, ct.until(x > a)), x)


@row(ct.TensorTypeError, "'h'", "scalar", "first axis", "@h = T")
def a_scalar_as_a_sequence():
    h = T.dscalar("h")
    ct.scan(lambda a: a, h)


@row(ct.UsageError, "sequence 0", "'inputs'", "input", "taps")
def an_unknown_key():
    x = T.dvector("x")
    ct.scan(lambda a: a, dict(inputs=x))


@row(ct.UsageError, "for_loop", "random draws", "scan")
def random_draws_in_a_for_loop():
    rng = T.shared_randomstreams.RandomStreams(1)
    ct.for_loop(3, np.float64(0), lambda i, p: p + rng.normal(()))


@row(ct.OutOfBoundsError, "in step 3 of while_loop", "index 3", "@table[k]")
def a_while_loop_that_runs_out_of_a_table():
    table = T.dvector("table")
    total = ct.while_loop(lambda v, k: v < 100.0, lambda v, k: [v + table[k], k + 1], [np.float64(0), 0])
    ct.function([table], total)(V3)


@row(ct.TensorTypeError, "while_loop", "bool scalar", "f64[]")
def a_while_loop_that_asks_for_a_number():
    ct.while_loop(lambda v: v * 2, lambda v: v + 1, np.float64(0))


@row(ZeroDivisionError, "mine")
def an_exception_of_the_body():
    x = T.dvector("x")

    def body(a):
        raise ZeroDivisionError("mine")

    ct.scan(body, x)


# --- files and settings


@row(FileNotFoundError, "weights.npy", "No such file")
def a_file_that_is_not_there(tmp_path):
    ct.interop.load_npy(tmp_path / "weights.npy")


@row(ct.FileError, "a.npy", "truncated", "800 bytes")
def a_cut_npy_file(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(100))
    os.truncate(tmp_path / "a.npy", 500)
    ct.interop.load_npy(tmp_path / "a.npy")


@row(ct.FileError, "a.npz", "zip")
def a_cut_npz_file(tmp_path):
    np.savez(tmp_path / "a.npz", w=np.zeros(100))
    os.truncate(tmp_path / "a.npz", 500)
    ct.interop.load_npz(tmp_path / "a.npz")


@row(ct.FileError, "images", "truncated", "(2, 3)")
def a_cut_idx_file(tmp_path):
    (tmp_path / "images").write_bytes(struct.pack(">BBBBii", 0, 0, 8, 2, 2, 3) + b"1234")
    ct.interop.read_idx(tmp_path / "images")


@row(AttributeError, "speed", "floatX")
def an_unknown_setting():
    ct.config.speed = 11


@row(ct.ArgumentError, "floatX", "float31", "float32")
def a_value_that_a_setting_does_not_take():
    ct.config.floatX = "float31"


# --- the tests


def place_of(program, code):
    lines, first = inspect.getsourcelines(program)
    body = next(i for i, line in enumerate(lines) if line.startswith("def "))
    for i, line in enumerate(lines[body:]):
        if code in line:
            return f"{HERE}:{first + body + i}"
    raise AssertionError(f"no line with {code!r}")


@pytest.mark.parametrize("program, exception, phrases", ROWS)
def test_a_wrong_program_is_told_what_it_needs(program, exception, phrases, tmp_path):
    arguments = (tmp_path,) if inspect.signature(program).parameters else ()
    with pytest.raises(exception) as caught:
        program(*arguments)
    text = str(caught.value)
    for phrase in phrases:
        wanted = place_of(program, phrase[1:]) if phrase.startswith("@") else phrase
        assert wanted in text, f"the message lacks {wanted!r}:\n{text}"
    assert not isinstance(caught.value, ct.InternalError)


def test_the_users_exception_is_the_cause():
    x = T.dvector("x")
    f = ct.function([x], Stuck()(x) * 2)
    with pytest.raises(ct.Error) as caught:
        f(V3)
    assert isinstance(caught.value.__cause__, RuntimeError)
    trace = caught.value.__cause__.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    assert trace.tb_frame.f_code.co_name == "perform"


def test_a_failing_call_leaves_shared_variables_as_they_were():
    first = ct.shared(np.arange(4.0), "first")
    second = ct.shared(np.arange(4.0), "second")
    third = ct.shared(np.arange(4.0), "third")
    x = T.dvector("x")
    f = ct.function([x], first.sum(),
                    updates=[(first, first + 1), (second, second + x), (third, third * 2)])
    for _ in range(3):
        before = [v.get_value() for v in (first, second, third)]
        with pytest.raises(ct.ShapeError):
            f(V3)
        assert all((a == v.get_value()).all() for a, v in zip(before, (first, second, third)))
        f(V4)
        assert (first.get_value() == before[0] + 1).all()
        assert (second.get_value() == before[1] + V4).all()


@pytest.mark.parametrize("loop", ["until", "while"])
def test_control_c_ends_a_loop_that_would_not(loop):
    s = ct.shared(1.0, "s")
    before_handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    if loop == "until":
        values, _ = ct.scan(lambda p: (p + 1, ct.until(p < 0)), outputs_info=s, n_steps=2**62)
        result = values[-1]
    else:
        result = ct.while_loop(lambda v: v > 0, lambda v: v * 0.5 + 1, s)
    f = ct.function([], result, updates={s: result})
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            f()
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before_handler)
    assert s.get_value() == 1.0


# Loops that are one kernel: no step of a program comes between their steps.
@pytest.mark.parametrize("width, threads", [((), 1), ((40,), 1), ((100_000,), 2)])
def test_control_c_stops_a_loop_that_is_one_kernel(width, threads):
    s = ct.shared(np.full(width, 0.3), "s")
    n = T.lscalar("n")
    values, _ = ct.scan(lambda p: 3.7 * p * (1 - p), outputs_info=s, n_steps=n)
    f = ct.function([n], values[-1].sum(), updates={s: values[-1]})
    before_handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    before_threads, ct.config.threads = ct.config.threads, threads
    waits = []
    try:
        for call in range(1, 5):  # the first one, one that is recorded, and replayed ones
            f(call)
            before = s.get_value()
            timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            begin = time.perf_counter()
            with pytest.raises(KeyboardInterrupt):
                f(2**45)
            waits.append(time.perf_counter() - begin - 0.1)
            timer.join()
            np.testing.assert_array_equal(s.get_value(), before)
    finally:
        signal.signal(signal.SIGINT, before_handler)
        ct.config.threads = before_threads
    assert min(waits) < 0.1


def test_unused_inputs_may_be_warned_of(capfd):
    x, y = T.dvector("x"), T.dvector("y")
    assert ct.function([x, y], x * 2, on_unused_input="warn")(V3, V3).tolist() == [0, 2, 4]
    assert "'y'" in capfd.readouterr().err
    ct.function([x, y], x * 2, on_unused_input="ignore")
    assert capfd.readouterr().err == ""
