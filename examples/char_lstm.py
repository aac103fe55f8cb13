#!/usr/bin/env python3
"""Trains an LSTM to write like the King James Bible, one character at a time.

The same program as char_lstm.cpp: the same seed gives the same losses. Learns by truncated back-propagation
through time: the text is cut into --batch streams that are read side by side, --steps characters at once, and
the state at the end of one window is the state at the start of the next. Writes losses, parameters and a
sample into the output folder.
"""

import argparse
import math
import pathlib
import shutil
import subprocess
import time

import croton as ct
import croton.tensor as T
import numpy as np


def read_settings():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=600, help="training ends after so many")
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--report", type=int, default=200, help="windows between tests on held-out text")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default="output")
    parser.add_argument("--data", help="a plain text file; default: the King James Bible")
    return parser.parse_args()


def read_text(path):
    """The bytes of a text file; without one the Bible, a verse a line, as Debian's program prints it."""
    if path:
        return pathlib.Path(path).read_bytes()
    if not shutil.which("bible"):
        raise SystemExit(
            "The King James Bible is not installed: apt-get install bible-kjv bible-kjv-text\n"
            "(or name a text file of your own: --data FILE)"
        )
    verses = subprocess.run(["bible", "-f", "Gen1:1-Rev22:21"], capture_output=True, check=True).stdout
    return b"".join(verse.partition(b" ")[2] for verse in verses.splitlines(True))  # without "Gen1:1 "


def streams(codes, batch):
    """The text cut into `batch` streams of equal lengths: a column each."""
    length = len(codes) // batch
    return np.ascontiguousarray(codes[: length * batch].reshape(batch, length).T)


class Lstm:
    """Hochreiter and Schmidhuber's long short-term memory (1997) with a softmax over characters on top."""

    def __init__(self, letters, hidden, random):
        def uniform(rows, columns, limit):
            return random.uniform((rows, columns), -limit, limit, dtype="float32").eval()

        limit = 1 / math.sqrt(hidden)
        bias = np.zeros(4 * hidden, "float32")
        bias[hidden : 2 * hidden] = 1  # the forget gate starts open
        self.hidden = hidden
        self.letters = ct.shared(uniform(letters, 4 * hidden, 0.3), "letters")
        self.recurrent = ct.shared(uniform(hidden, 4 * hidden, limit), "recurrent")
        self.bias = ct.shared(bias, "bias")
        self.out = ct.shared(uniform(hidden, letters, limit), "out")
        self.out_bias = ct.shared(np.zeros(letters, "float32"), "out_bias")
        self.parameters = [self.letters, self.recurrent, self.bias, self.out, self.out_bias]

    def step(self, letter, h, cell):
        """One character further. Gradients that come back through h are clipped."""
        gates = self.letters[letter] + T.dot(h, self.recurrent) + self.bias
        i, f, o, new = [gates[:, k * self.hidden : (k + 1) * self.hidden] for k in range(4)]
        cell = T.nnet.sigmoid(f) * cell + T.nnet.sigmoid(i) * T.tanh(new)
        return ct.gradient.grad_clip(T.nnet.sigmoid(o) * T.tanh(cell), -1, 1), cell

    def scores(self, h):
        return T.dot(h, self.out) + self.out_bias

    def loss(self, x, y, h, cell):
        """Mean cross-entropy of the next characters y after x, (steps, batch); and the last states."""
        (hs, cells), _ = ct.scan(self.step, x, [h, cell])
        guesses = T.nnet.softmax(self.scores(hs.reshape((-1, self.hidden))))
        return T.mean(T.nnet.categorical_crossentropy(guesses, y.flatten())), hs[-1], cells[-1]

    def writer(self, start, count, random, temperature=0.7):
        """A text of `count` characters, each drawn from what the network expects after those before it."""

        def step(letter, h, cell):
            h, cell = self.step(letter, h, cell)
            letter = random.categorical(T.nnet.softmax(self.scores(h) / np.float32(temperature)))
            return letter, h, cell

        nothing = T.zeros((1, self.hidden), "float32")
        (letters, _, _), updates = ct.scan(step, None, [start, nothing, nothing], n_steps=count)
        return letters.flatten(), updates


def main():
    s = read_settings()
    text = np.frombuffer(read_text(s.data), "uint8")
    alphabet, codes = np.unique(text, return_inverse=True)
    kept = len(codes) - len(codes) // 40
    train, test = streams(codes[:kept], s.batch), streams(codes[kept:], s.batch)
    windows, test_windows = (len(train) - 1) // s.steps, (len(test) - 1) // s.steps
    if test_windows < 1:
        raise SystemExit(f"{len(codes)} characters are too few for {s.batch} streams of {s.steps} steps")
    print(f"{len(codes)} characters, {len(alphabet)} different ones, the last {len(codes) - kept} held out")

    random = T.shared_randomstreams.RandomStreams(s.seed)
    lstm = Lstm(len(alphabet), s.hidden, random)
    nothing = np.zeros((s.batch, s.hidden), "float32")
    h, cell = ct.shared(nothing, "h"), ct.shared(nothing, "cell")
    x, y, start = T.lmatrix("x"), T.lmatrix("y"), T.lvector("start")
    loss, h_next, cell_next = lstm.loss(x, y, h, cell)
    steps = ct.optimizers.adam(loss, lstm.parameters, 0.01)
    carry = [(h, h_next), (cell, cell_next)]
    learn = ct.function([x, y], loss, updates=[*steps.items(), *carry], name="learn")
    measure = ct.function([x, y], loss, updates=carry, name="measure")
    letters, updates = lstm.writer(start, 400, random)
    write = ct.function([start], letters, updates=updates, name="write")

    def window(data, i):
        return data[i * s.steps : (i + 1) * s.steps], data[i * s.steps + 1 : (i + 1) * s.steps + 1]

    def perplexity():
        """Of the held-out text; training then goes on from where it was."""
        before = h.get_value(), cell.get_value()
        h.set_value(nothing), cell.set_value(nothing)
        total = sum(float(measure(*window(test, i))) for i in range(test_windows))
        h.set_value(before[0]), cell.set_value(before[1])
        return math.exp(total / test_windows)

    begin, losses, reached = time.time(), [], math.inf
    for epoch in range(1, s.epochs + 1):
        if time.time() - begin > s.seconds:
            break
        h.set_value(nothing), cell.set_value(nothing)
        with ct.Progress(windows, f"epoch {epoch}") as progress:
            for i in range(windows):
                losses.append(float(learn(*window(train, i))))
                progress.advance(1, f"perplexity {math.exp(np.mean(losses[-50:])):.3f}")
                late = time.time() - begin > s.seconds
                if (i + 1) % s.report == 0 or i + 1 == windows or late:
                    reached = perplexity()
                    print(f"{time.time() - begin:.0f} s, window {i + 1}: held-out perplexity {reached:.4f}")
                if late:
                    break

    output = pathlib.Path(s.output)
    output.mkdir(parents=True, exist_ok=True)
    np.savez(output / "char_lstm_losses.npz", losses=losses)
    ct.interop.save(output / "char_lstm.npz", lstm.parameters)
    sample = bytes(alphabet[write([0])]).decode("utf-8", "replace")
    (output / "char_lstm.txt").write_text(sample)
    print(f"The network writes:\n{sample}")
    print(f"trained in {time.time() - begin:.1f} s: perplexity {reached:.3f} a character on held-out text")


if __name__ == "__main__":
    main()
