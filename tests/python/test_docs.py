"""Every Python snippet of the documentation runs.

The ```python blocks of a file run in one namespace, in order, in an empty folder. A comment on the line
before a block, <!-- needs: fashion-mnist -->, leaves it (and the rest of its file) out where that data set
is not installed.
"""

import pathlib
import re

import croton as ct
import pytest

ROOT = pathlib.Path(__file__).parents[2]
FENCE = re.compile(r"^(?:<!-- needs: (?P<needs>[^>]*) -->\n\n?)?```python\n(?P<code>.*?)^```$", re.M | re.S)
FILES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "python/**/*.md", "croton/**/*.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
)


def have_fashion_mnist():
    try:
        ct.interop.fashion_mnist("test")
    except ct.FileError:
        return False
    return True


NEEDS = {"fashion-mnist": (have_fashion_mnist, "Debian's package dataset-fashion-mnist")}


def blocks_of(text):
    """(line of the first line of code, code, need or None) of each block."""
    for match in FENCE.finditer(text):
        yield text.count("\n", 0, match.start("code")) + 1, match["code"], match["needs"]


def run(path, text):
    namespace = {"__name__": "__main__"}
    for line, code, need in blocks_of(text):
        if need is not None:
            there, how = NEEDS[need]
            if not there():
                pytest.skip(f"{path.name}:{line} needs {need}: {how} is not installed")
        # Empty lines in front make tracebacks name the document's own lines.
        exec(compile("\n" * (line - 1) + code, str(path), "exec"), namespace)  # noqa: S102
    return namespace


@pytest.mark.parametrize(
    "path", [p for p in FILES if "```python" in p.read_text()], ids=lambda p: str(p.relative_to(ROOT))
)
def test_snippets_run(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = path.read_text()
    assert len(list(blocks_of(text))) == text.count("```python"), "a fence that is not closed or indented"
    assert run(path, text)


def test_the_readme_has_snippets():
    assert any(path.name == "README.md" for path in FILES if "```python" in path.read_text())


def test_a_wrong_snippet_is_found(monkeypatch):
    text = "# Title\n\n```python\na = 1\n```\ntext\n<!-- needs: fashion-mnist -->\n```python\na += 1\nb\n```\n"
    path = pathlib.Path("wrong.md")
    monkeypatch.setitem(NEEDS, "fashion-mnist", (lambda: True, ""))
    with pytest.raises(NameError) as caught:
        run(path, text)
    assert caught.traceback[-1].lineno == 9  # counted from 0
    monkeypatch.setitem(NEEDS, "fashion-mnist", (lambda: False, "it"))
    with pytest.raises(pytest.skip.Exception, match="wrong.md:9 needs fashion-mnist: it"):
        run(path, text)
