#!/usr/bin/env python3
"""Trains a classifier of the 60,000 images of Fashion-MNIST, and shows what it learned.

The same program as fashion_mnist.cpp: the same seed gives the same losses. Writes parameters (.npz and
.safetensors) and drawings into the output folder.
"""

import argparse
import math
import pathlib
import time

import croton as ct
import croton.tensor as T
import numpy as np


def read_settings():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=["mlp", "logistic"], default="mlp")
    parser.add_argument("--optimizer", choices=["adam", "momentum"], default="adam")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default="output")
    parser.add_argument("--data")
    return parser.parse_args()


def make_layer(inputs, outputs, name, random):
    """Glorot and Bengio's uniform initialisation (2010)."""
    limit = math.sqrt(6 / (inputs + outputs))
    start = random.uniform((inputs, outputs), -limit, limit, dtype="float32").eval()
    return ct.shared(start, name + ".weights"), ct.shared(np.zeros(outputs, "float32"), name + ".bias")


def make_network(model, seed):
    sizes = {"mlp": [784, 500, 500, 10], "logistic": [784, 10]}[model]
    random = T.shared_randomstreams.RandomStreams(seed)
    return [make_layer(n, m, f"layer{i}", random) for i, (n, m) in enumerate(zip(sizes, sizes[1:]))]


def scores_of(network, x):
    for weights, bias in network[:-1]:
        x = T.nnet.relu(T.dot(x, weights) + bias)
    weights, bias = network[-1]
    return T.dot(x, weights) + bias


def prepare(images):
    """Pixels 0..255 to one row of numbers 0..1 an image."""
    return images.reshape(-1, 784).astype("float32") / np.float32(255)


def draw(output, losses, network, images, labels, guesses):
    """Losses, first-layer weights as images, and predictions (wrong ones in red)."""
    weights = network[0][0].get_value()
    columns = weights[:, :40].T.reshape(-1, 28, 28)
    names = ct.interop.fashion_mnist_classes()
    figure = ct.Figure(1200, 900, 2)
    figure.lines("Loss of each batch", {"loss": losses}, "batch", "cross-entropy", y_log=True)
    figure.images("First-layer weights", columns, 8, colours="diverging")
    captions = [names[guess] for guess in guesses[:40]]
    wrong = guesses[:40] != labels[:40]
    figure.images("Predictions on held-out images", images[:40], 8, captions, marked=wrong)
    for ending in ("png", "svg"):
        figure.save(output / f"fashion_mnist.{ending}")


def main():
    s = read_settings()
    train_images, train_labels = ct.interop.fashion_mnist("train", s.data)
    test_images, test_labels = ct.interop.fashion_mnist("test", s.data)
    train, test = prepare(train_images), prepare(test_images)
    targets, truth = train_labels.astype("int64"), test_labels.astype("int64")
    print(f"Fashion-MNIST: {len(train)} training and {len(test)} test images")

    x, y = T.fmatrix("images"), T.lvector("labels")
    network = make_network(s.model, s.seed)
    parameters = [parameter for layer in network for parameter in layer]
    scores = scores_of(network, x)
    loss = T.mean(T.nnet.categorical_crossentropy(T.nnet.softmax(scores), y))
    if s.optimizer == "momentum":
        steps = ct.optimizers.momentum(loss, parameters, 0.03, 0.9)
    else:
        steps = ct.optimizers.adam(loss, parameters, 0.001)
    step = ct.function([x, y], loss, updates=steps, name="step")
    predict = ct.function([x], T.argmax(scores, axis=1), name="predict")

    start, losses, reached = time.time(), [], 0.0
    batches = ct.interop.Batches([train, targets], s.batch, drop_last=True)
    for epoch in range(1, s.epochs + 1):
        batches.shuffle(s.seed + epoch)
        total = 0.0
        with ct.Progress(len(batches), f"epoch {epoch}") as progress:
            for i, (images, labels) in enumerate(batches):
                losses.append(float(step(images, labels)))
                total += losses[-1]
                progress.advance(1, f"loss {total / (i + 1):.4f}")
        reached = np.mean(predict(test) == truth)
        print(f"epoch {epoch}: mean loss {total / len(batches):.17g}, test accuracy {100 * reached:.2f} %")
    seconds = time.time() - start

    output = pathlib.Path(s.output)
    output.mkdir(parents=True, exist_ok=True)
    for ending in ("npz", "safetensors"):
        ct.interop.save(output / f"parameters.{ending}", parameters)
        ct.interop.load(output / f"parameters.{ending}", parameters)
    guesses = predict(test)
    if np.mean(guesses == truth) != reached:
        raise SystemExit("the restored network has another accuracy")
    draw(output, losses, network, test_images, truth, guesses)
    print(
        f"trained {s.model} with {s.optimizer} in {seconds:.1f} s: test accuracy {100 * reached:.2f} %; "
        f"parameters and drawings are in {s.output}"
    )


if __name__ == "__main__":
    main()
