"""A row: one description of data and of the work, written once a family of peers."""


class Row:
    """One piece of work.

    number, name, title: the row of the table. data(random): arrays by name, never zeros only. limit():
    bytes that must be moved and operations that must be done, with the dtype of the operations; None
    where neither sets a limit. tolerance: largest difference from the float64 reference, as a share of the
    reference's largest element. Results are tuples of arrays. The builders return a callable without
    arguments that does the work once and gives all its results:

        numpy(d)             also the reference, when d holds float64
        symbolic(d, s)       Croton, Theano, PyTensor; s: adapter with T, function, grad, shared...
        torch(d, t, compiled)   t: the module; compiled: torch.compile, or the identity
        jax(d, j)            j: the module jax; everything inside jax.jit
    """

    number = 0
    name = ""
    title = ""
    tolerance = 2e-4
    threads = (1, 2)
    checked_call = 1  # which call is compared, for rows with state
    busy = False  # keeps one core busy by another process meanwhile
    peers = None  # where only some make sense
    known_shapes = False  # whether types of the Theano family say the sizes of the data, as JAX sees them

    def limit(self):
        return None

    def check(self, results, reference):
        """The largest difference, relative; rows of random numbers bring their own."""
        import numpy as np

        worst = 0.0
        if len(results) != len(reference):
            raise AssertionError("%d results, expected %d" % (len(results), len(reference)))
        for got, want in zip(results, reference):
            got, want = np.asarray(got, "float64"), np.asarray(want, "float64")
            if got.shape != want.shape:
                raise AssertionError("shape %s, expected %s" % (got.shape, want.shape))
            if not np.all(np.isfinite(got)):
                raise AssertionError("not finite")
            scale = max(float(np.max(np.abs(want))), 1e-30)
            worst = max(worst, float(np.max(np.abs(got - want))) / scale)
        return worst


def as_float64(data):
    return {k: v.astype("float64") if v.dtype.kind == "f" else v for k, v in data.items()}
