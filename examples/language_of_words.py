#!/usr/bin/env python3
"""Trains a bidirectional GRU to tell whether a word is English, French or German.

The same program as language_of_words.cpp: the same seed gives the same losses. Reads Debian's word lists;
words are sequences of bytes of different lengths, filled up with zeros that a mask tells from letters.
"""

import argparse
import math
import pathlib
import time

import croton as ct
import croton.tensor as T
import numpy as np

LANGUAGES = {"English": "american-english", "French": "french", "German": "ngerman"}
PACKAGES = "wamerican wfrench wngerman"


def read_settings():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=600, help="training ends after so many")
    parser.add_argument("--words", type=int, default=40000, help="so many of each language")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default="output")
    parser.add_argument("--data", default="/usr/share/dict", help="folder of the word lists")
    return parser.parse_args()


def read_words(folder, name):
    """The words of a list in small letters, without those that hold a mark such as an apostrophe."""
    path = pathlib.Path(folder) / name
    if not path.exists():
        raise SystemExit(f"There is no word list {path}: apt-get install {PACKAGES}")
    words = {word.lower() for word in path.read_bytes().splitlines()}
    return {word for word in words if word and all(b > 127 or 97 <= b <= 122 for b in word)}


def read_languages(folder, count, seed):
    """Letters (word, place), 0 behind a word's end, and the language of each word, in a random order."""
    lists = [read_words(folder, name) for name in LANGUAGES.values()]
    chosen = []
    for k, words in enumerate(lists):
        others = set.union(*lists[:k], *lists[k + 1 :])
        own = sorted(words - others)  # a word of two languages has no right answer
        chosen.append([own[i] for i in ct.interop.permutation(len(own), seed)[:count]])
    longest = max(len(word) for words in chosen for word in words)
    letters = np.array([list(word.ljust(longest, b"\0")) for words in chosen for word in words], "uint8")
    language = np.repeat(np.arange(len(chosen)), [len(words) for words in chosen])
    order = ct.interop.permutation(len(language), seed + 1)
    return letters[order], language[order]


class Gru:
    """A layer of gated recurrent units (Cho et al. 2014) over letters."""

    def __init__(self, name, hidden, random):
        def uniform(*shape):
            limit = 1 / math.sqrt(hidden)
            return random.uniform(shape, -limit, limit, dtype="float32").eval()

        self.hidden = hidden
        self.letters = ct.shared(uniform(256, 3 * hidden), name + ".letters")
        self.recurrent = ct.shared(uniform(hidden, 3 * hidden), name + ".recurrent")
        self.bias = ct.shared(np.zeros(3 * hidden, "float32"), name + ".bias")
        self.parameters = [self.letters, self.recurrent, self.bias]

    def step(self, letter, mask, h):
        """The state after a letter; where the mask is 0 the word has ended and the state stays."""
        x, past = self.letters[letter] + self.bias, T.dot(h, self.recurrent)
        x_reset, x_update, x_new = [x[:, k * self.hidden : (k + 1) * self.hidden] for k in range(3)]
        reset, update, new = [past[:, k * self.hidden : (k + 1) * self.hidden] for k in range(3)]
        new = T.tanh(x_new + T.nnet.sigmoid(x_reset + reset) * new)
        keep = T.nnet.sigmoid(x_update + update)
        return T.switch(mask.dimshuffle(0, "x"), keep * h + (1 - keep) * new, h)

    def read(self, letters, backwards):
        """The state after all letters (place, word)."""
        start = T.zeros((letters.shape[1], self.hidden), "float32")
        states, _ = ct.scan(self.step, [letters, T.neq(letters, 0)], start, go_backwards=backwards)
        return states[-1]


def main():
    s = read_settings()
    letters, language = read_languages(s.data, s.words, s.seed)
    held = len(letters) // 10
    learned = len(letters) - held
    print(f"{learned} words to learn from, {held} held out, at most {letters.shape[1]} bytes long")

    random = T.shared_randomstreams.RandomStreams(s.seed)
    forth, back = Gru("forth", s.hidden, random), Gru("back", s.hidden, random)
    weights = ct.shared(np.zeros((2 * s.hidden, len(LANGUAGES)), "float32"), "weights")
    bias = ct.shared(np.zeros(len(LANGUAGES), "float32"), "bias")
    parameters = [*forth.parameters, *back.parameters, weights, bias]
    x, y = T.lmatrix("letters"), T.lvector("language")
    scores = T.dot(T.concatenate([forth.read(x, False), back.read(x, True)], axis=1), weights) + bias
    loss = T.mean(T.nnet.categorical_crossentropy(T.nnet.softmax(scores), y))
    learn = ct.function([x, y], loss, updates=ct.optimizers.adam(loss, parameters, 0.003), name="learn")
    guess = ct.function([x], T.argmax(scores, axis=1), name="guess")

    def places_first(rows):
        """(place, word), as long as the longest word of these."""
        longest = int(np.max(np.count_nonzero(rows, axis=1)))
        return np.ascontiguousarray(rows[:, :longest].T, "int64")

    begin, losses = time.time(), []
    batches = ct.interop.Batches([letters[held:], language[held:]], s.batch, drop_last=True)
    for epoch in range(1, s.epochs + 1):
        if time.time() - begin > s.seconds:
            break
        batches.shuffle(s.seed + epoch)
        with ct.Progress(len(batches), f"epoch {epoch}") as progress:
            for rows, truth in batches:
                losses.append(float(learn(places_first(rows), truth)))
                progress.advance(1, f"loss {np.mean(losses[-50:]):.4f}")
                if time.time() - begin > s.seconds:
                    break
        guesses = guess(places_first(letters[:held]))
        right = np.mean(guesses == language[:held])
        mean = np.mean(losses[-len(batches) :])
        print(f"epoch {epoch}: mean loss {mean:.5f}, {100 * right:.2f} % of held-out words right")

    output = pathlib.Path(s.output)
    output.mkdir(parents=True, exist_ok=True)
    np.savez(output / "language_of_words_losses.npz", losses=losses)
    ct.interop.save(output / "language_of_words.npz", parameters)
    names = list(LANGUAGES)
    for word, said, truth in zip(letters[:10], guesses, language):
        verdict = "" if said == truth else f", no, {names[truth]}"
        print(f"  {bytes(word).rstrip(bytes(1)).decode()}: {names[said]}{verdict}")
    print(f"trained in {time.time() - begin:.1f} s: {100 * right:.2f} % of {held} held-out words right")


if __name__ == "__main__":
    main()
