"""All rows, in the order of the table."""

import importlib
import pathlib


def all_rows():
    rows = []
    for path in sorted(pathlib.Path(__file__).parent.glob("row_*.py")):
        rows += importlib.import_module("rows." + path.stem).ROWS
    return {row.name: row for row in rows}
