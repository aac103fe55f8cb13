"""Files, DLPack, batches, drawings, progress."""

import os

import croton as ct
import croton.tensor as T
import numpy as np
import pytest

ARRAYS = {
    "weights": np.arange(12, dtype="float32").reshape(3, 4),
    "turned": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "flags": np.array([True, False]),
    "number": np.array(7, "int64"),
    "empty": np.zeros((0, 3), "uint8"),
    "half": np.array([0.5, 2], "float16"),
}


def same(a, b):
    assert set(a) == set(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])
        assert a[name].dtype == b[name].dtype and a[name].shape == b[name].shape


@pytest.mark.parametrize("compress", [False, True])
def test_npz_against_numpy(tmp_path, compress):
    ours, theirs = tmp_path / "ours.npz", tmp_path / "theirs.npz"
    ct.interop.save_npz(ours, ARRAYS, compress=compress)
    with np.load(ours) as read:
        same(dict(read), ARRAYS)
    (np.savez_compressed if compress else np.savez)(theirs, **ARRAYS)
    same(ct.interop.load_npz(theirs), ARRAYS)


def test_npy_against_numpy(tmp_path):
    path = tmp_path / "a.npy"
    ct.interop.save_npy(path, ARRAYS["turned"])
    np.testing.assert_array_equal(np.load(path), ARRAYS["turned"])
    np.save(path, ARRAYS["turned"])
    np.testing.assert_array_equal(ct.interop.load_npy(path), ARRAYS["turned"])


def test_safetensors_against_its_package(tmp_path):
    path = tmp_path / "a.safetensors"
    ct.interop.save_safetensors(path, ARRAYS, {"made": "here"})
    same(ct.interop.load_safetensors(path), ARRAYS)
    assert ct.interop.safetensors_metadata(path) == {"made": "here"}
    theirs = pytest.importorskip("safetensors.numpy", reason="the package safetensors is not installed")
    same(theirs.load_file(path), ARRAYS)
    plain = {name: np.ascontiguousarray(array) for name, array in ARRAYS.items()}
    plain["number"] = ARRAYS["number"]
    theirs.save_file(plain, path)
    same(ct.interop.load_safetensors(path), ARRAYS)


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_saving_and_restoring_variables(tmp_path, ending):
    w, b = ct.shared(np.ones((2, 2)), "w"), ct.shared(np.float32(3), "b")
    path = tmp_path / f"model.{ending}"
    ct.interop.save(path, [w, b])
    w.set_value(np.zeros((2, 2)))
    ct.interop.load(path, [w, b])
    assert w.get_value().tolist() == [[1, 1], [1, 1]] and b.get_value() == 3
    with pytest.raises(ValueError, match="names"):
        ct.interop.save(path, [ct.shared(1)])
    with pytest.raises(ValueError, match="npz"):
        ct.interop.save(tmp_path / "model.h5", [w])
    with pytest.raises(OSError, match="no array named c"):
        ct.interop.load(path, {"c": w})


def test_errors_of_files_name_them(tmp_path):
    for load in (ct.interop.load_npz, ct.interop.load_npy, ct.interop.load_safetensors, ct.interop.read_idx):
        with pytest.raises(ct.FileError, match="nowhere"):
            load(tmp_path / "nowhere")
    path = tmp_path / "cut.npz"
    np.savez(path, **ARRAYS)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(OSError, match="cut.npz"):
        ct.interop.load_npz(path)
    with pytest.raises(ValueError, match="valid"):
        ct.interop.fashion_mnist("validation")


class Exporter:
    """What another library's array looks like."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__()

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_dlpack_both_ways():
    base = np.arange(6.0).reshape(2, 3)
    shared = ct.from_dlpack(Exporter(base))
    assert np.shares_memory(shared, base)
    x = T.dmatrix("x")
    np.testing.assert_array_equal(ct.function([x], x * 2)(Exporter(base)), base * 2)
    np.testing.assert_array_equal((x + Exporter(base)).eval({x: base}), base * 2)
    assert T.constant(Exporter(base)).dtype == "float64"
    variable = ct.shared(Exporter(base), borrow=True)
    base[0, 0] = 50
    assert variable.get_value()[0, 0] == 50
    result = ct.function([x], x + 1)(base)
    np.testing.assert_array_equal(np.from_dlpack(result), base + 1)
    capsule = ct.interop.to_dlpack(base)
    assert "dltensor" in repr(capsule)


def test_dlpack_with_torch():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    t = torch.arange(4, dtype=torch.float32)
    assert np.shares_memory(ct.from_dlpack(t), t.numpy())


def test_batches():
    x, y = np.arange(20.0).reshape(10, 2), np.arange(10)
    batches = ct.interop.Batches([x, y], 4)
    assert len(batches) == 3
    batches.shuffle(3)
    seen = np.concatenate([labels for _, labels in batches])
    assert sorted(seen) == list(range(10)) and list(seen) != list(range(10))
    for rows, labels in batches:
        np.testing.assert_array_equal(rows, x[labels])
    assert len(ct.interop.Batches([x], 4, drop_last=True)) == 2
    np.testing.assert_array_equal(seen, ct.interop.permutation(10, 3))
    with pytest.raises(ValueError):
        ct.interop.Batches([x, y[:5]], 4)


def test_drawings(tmp_path):
    figure = ct.Figure(400, 300)
    figure.lines("Loss", {"train": [3.0, 2.0, 1.0], "test": ([0, 2], [3.0, 2.0], True)}, "step", y_log=True)
    figure.images("Images", np.random.rand(4, 5, 5), 2, ["a", "b"], marked=[True], colours="diverging")
    figure.save(tmp_path / "a.png")
    figure.save(tmp_path / "a.svg")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "Loss" in (tmp_path / "a.svg").read_text() and "Loss" in figure.svg()
    assert figure.svg().count("<circle") == 3  # two points and the legend of the series with marks
    with pytest.raises(ValueError):
        figure.save(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match="grey"):
        figure.images("x", np.zeros((1, 2, 2)), 1, colours="pink")


def test_progress(capfd):
    with ct.Progress(3, "work") as progress:
        for _ in range(3):
            progress.advance(1, "going")
    assert progress.done == 3
    assert "work" in capfd.readouterr().err


@pytest.mark.skipif(
    not os.path.isdir("/usr/share/dataset-fashion-mnist")
    and not os.path.isdir("/usr/share/datasets/fashion-mnist")
    and "CROTON_DATA" not in os.environ,
    reason="the package dataset-fashion-mnist is not installed",
)
def test_fashion_mnist():
    images, labels = ct.interop.fashion_mnist("test")
    assert images.shape == (10000, 28, 28) and images.dtype == "uint8"
    assert np.bincount(labels).tolist() == [1000] * 10
    assert len(ct.interop.fashion_mnist_classes()) == 10
