"""Adapters: how each peer is started, handed arrays, and asked for results. One class a peer."""

import os
import sys


def _identity(function):
    return function


class Peer:
    name = ""
    venv = ""  # folder under build/peers

    def environment(self, threads, cache):
        """Variables that must be set before the process starts."""
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
        return {name: str(threads) for name in names}

    def start(self, threads):
        """Imports the peer."""

    def version(self):
        raise NotImplementedError

    def adopt(self, data):
        return data

    def build(self, row, data):
        raise NotImplementedError

    def arrays(self, results):
        import numpy as np

        return [np.asarray(r) for r in results]


class Numpy(Peer):
    name = venv = "numpy"

    def start(self, threads):
        import numpy

        self.numpy = numpy

    def version(self):
        return self.numpy.__version__

    def build(self, row, data):
        return row.numpy(data)


class Torch(Peer):
    name = venv = "torch"

    def environment(self, threads, cache):
        variables = Peer.environment(self, threads, cache)
        variables["TORCHINDUCTOR_CACHE_DIR"] = os.path.join(cache, "inductor")
        variables["TORCHINDUCTOR_COMPILE_THREADS"] = str(threads)
        variables["TRITON_CACHE_DIR"] = os.path.join(cache, "triton")
        return variables

    def start(self, threads):
        import torch

        torch.set_num_threads(threads)
        self.torch = torch

    def version(self):
        return self.torch.__version__

    def adopt(self, data):
        return {k: self.torch.from_numpy(v.copy()) for k, v in data.items()}

    def build(self, row, data):
        return row.torch(data, self.torch, _identity)

    def arrays(self, results):
        return [r.detach().numpy() if hasattr(r, "detach") else r for r in results]


class TorchCompile(Torch):
    name = "torch.compile"

    def build(self, row, data):
        return row.torch(data, self.torch, self.torch.compile)


class Jax(Peer):
    name = venv = "jax"

    def environment(self, threads, cache):
        variables = Peer.environment(self, threads, cache)
        eigen = "true" if threads > 1 else "false"
        variables.update(
            JAX_PLATFORMS="cpu",
            JAX_ENABLE_X64="1",
            JAX_COMPILATION_CACHE_DIR=os.path.join(cache, "jax"),
            JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
            JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES="-1",
            XLA_FLAGS="--xla_cpu_multi_thread_eigen=%s" % eigen,
        )
        return variables

    def start(self, threads):
        import jax
        import jax.numpy

        self.jax = jax

    def version(self):
        return self.jax.__version__

    def adopt(self, data):
        return {k: self.jax.numpy.asarray(v) for k, v in data.items()}

    def build(self, row, data):
        call, wait = row.jax(data, self.jax), self.jax.block_until_ready
        return lambda: wait(call())


class Symbolic(Peer):
    """Theano and those who keep its interface. Rows are written once against this class."""

    known_shapes = False  # the row's: variables have the shapes of their data

    def build(self, row, data):
        self.known_shapes = row.known_shapes
        return row.symbolic(data, self)

    def shape(self, array):
        return array.shape if self.known_shapes else (None,) * array.ndim

    def variable(self, array, name):
        return self.T.TensorType(str(array.dtype), self.shape(array))(name)

    def variables(self, data, names):
        return [self.variable(data[name], name) for name in names.split()]

    def matmul(self, a, b):
        return self.T.matmul(a, b)

    def hvp(self, cost, wrt, vectors):
        first = self.grad(cost, wrt)
        return self.grad(sum((g * v).sum() for g, v in zip(first, vectors)), wrt)

    def update(self, indexed, values):
        """The table that indexed was taken of, with values added at those places."""
        return self.T.inc_subtensor(indexed, values)

    def scan(self, fn, *arguments, **named):
        """The outputs of the loop, always a list."""
        return self.loops.scan(fn, *arguments, return_list=True, **named)[0]

    def until(self, condition):
        return self.loops.until(condition)

    def last_of_checkpointed(self, fn, initial, constants, steps, every):
        """The last state of a loop of which gradients keep every so many steps."""
        states, _ = self.loops.scan_checkpoints(
            fn, outputs_info=initial, non_sequences=constants, n_steps=steps, save_every_N=every
        )
        return states[-1]


class Croton(Symbolic):
    name = "croton"

    def environment(self, threads, cache):
        variables = Peer.environment(self, threads, cache)
        variables["CROTON_FLAGS"] = "threads=%d,cache_dir=%s" % (threads, os.path.join(cache, "croton"))
        return variables

    def start(self, threads):
        import croton
        import croton.tensor as T

        self.croton, self.loops, self.T = croton, croton.scan_module, T
        self.grad = croton.grad
        self.relu, self.softplus, self.sigmoid = T.nnet.relu, T.nnet.softplus, T.sigmoid
        self.softmax, self.log_softmax = T.softmax, T.log_softmax
        self.profiled = bool(os.environ.get("CROTON_BENCH_PROFILE"))
        self.functions = []

    def version(self):
        return self.croton.__version__

    def shared(self, array):
        shape = self.shape(array) if self.known_shapes else None
        return self.croton.shared(array, borrow=True, shape=shape)

    def last_of_checkpointed(self, fn, initial, constants, steps, every):
        (states,) = self.scan(
            fn, outputs_info=initial, non_sequences=constants, n_steps=steps, checkpoint=every
        )
        return states[-1]

    def variable(self, array, name):
        return self.T.tensor(str(array.dtype), shape=self.shape(array), name=name)

    def function(self, inputs, outputs, updates=None):
        f = self.croton.function(inputs, outputs, updates=updates or None, profile=self.profiled or None)
        self.functions.append(f)
        return f

    def hvp(self, cost, wrt, vectors):
        return self.croton.hvp(cost, wrt, vectors)

    def normal(self, size):
        return self.T.shared_randomstreams.RandomStreams(1).normal(size=(size,), dtype="float32")


class Theano(Symbolic):
    name = venv = "theano"

    def environment(self, threads, cache):
        variables = Peer.environment(self, threads, cache)
        variables["THEANO_FLAGS"] = (
            "base_compiledir=%s,openmp=%s,blas.ldflags=-lopenblas,device=cpu,cxx=/usr/bin/g++"
            % (os.path.join(cache, "theano"), threads > 1)
        )
        return variables

    def start(self, threads):
        import warnings

        warnings.simplefilter("ignore")
        import theano
        import theano.tensor as T

        self.theano, self.loops, self.T = theano, theano.scan_module, T
        self.grad = theano.grad
        self.relu, self.softplus = T.nnet.relu, T.nnet.softplus
        self.sigmoid, self.softmax, self.log_softmax = T.nnet.sigmoid, T.nnet.softmax, T.nnet.logsoftmax

    def version(self):
        return self.theano.__version__

    def variable(self, array, name):
        pattern = [size == 1 for size in self.shape(array)]  # all that its types can say of shapes
        return self.T.TensorType(str(array.dtype), pattern)(name)

    def shared(self, array):
        return self.theano.shared(array, borrow=True)

    def matmul(self, a, b):
        return self.T.batched_dot(a, b)

    def function(self, inputs, outputs, updates=None):
        return self.theano.function(inputs, outputs, updates=updates)

    def normal(self, size):
        from theano.sandbox.rng_mrg import MRG_RandomStreams

        return MRG_RandomStreams(1).normal(size=(size,), dtype="float32")


class PyTensor(Symbolic):
    venv = "pytensor"

    def __init__(self, mode):
        self.mode = mode
        self.name = "pytensor " + {"NUMBA": "numba", "CVM": "c"}[mode]

    def environment(self, threads, cache):
        variables = Peer.environment(self, threads, cache)
        variables["PYTENSOR_FLAGS"] = "base_compiledir=%s" % os.path.join(cache, "pytensor")
        variables["NUMBA_CACHE_DIR"] = os.path.join(cache, "numba")
        return variables

    def start(self, threads):
        import warnings

        warnings.simplefilter("ignore")
        import pytensor
        import pytensor.tensor as T

        self.pytensor, self.T = pytensor, T
        self.loops = sys.modules["pytensor.scan"]  # pytensor.scan is the function
        self.grad = pytensor.grad
        self.softplus, self.sigmoid = T.softplus, T.sigmoid

    def version(self):
        return self.pytensor.__version__

    def shared(self, array):
        return self.pytensor.shared(array, borrow=True, shape=self.shape(array))

    def relu(self, x):
        return self.T.maximum(x, 0)

    def softmax(self, x):
        return self.T.special.softmax(x, axis=-1)

    def log_softmax(self, x):
        return self.T.special.log_softmax(x, axis=-1)

    def function(self, inputs, outputs, updates=None):
        return self.pytensor.function(inputs, outputs, updates=updates, mode=self.mode)

    def normal(self, size):
        return self.T.random.utils.RandomStream(1).normal(0, 1, size=(size,)).astype("float32")


PEERS = {
    peer.name: peer
    for peer in (
        Croton(), Numpy(), Torch(), TorchCompile(), Jax(), PyTensor("NUMBA"), PyTensor("CVM"), Theano(),
    )
}  # fmt: skip
