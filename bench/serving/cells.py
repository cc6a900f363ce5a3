"""What is measured: which model, how many rows in one request, how many connections."""

from dataclasses import dataclass

from bench.serving.models import TITLES

_BINARY = "-binary"
_ROWS = (1, 1000)
_CONNECTIONS = (1, 8, 64)


class UnknownCell(ValueError):
    """It names no cell."""


@dataclass(frozen=True)
class Cell:
    """One measurement of every server. The same `input` means the same model asked in the same kind of body."""

    input: str
    rows: int
    connections: int

    @staticmethod
    def parse(text: str) -> "Cell":
        """`INPUT:ROWS:CONNECTIONS`. Raises UnknownCell."""
        name, *numbers = text.split(":")
        if name.removesuffix(_BINARY) not in TITLES or len(numbers) != 2 or not all(map(str.isdecimal, numbers)):
            names = ", ".join([*TITLES, f"image{_BINARY}"])
            raise UnknownCell(f"{text}: a cell is INPUT:ROWS:CONNECTIONS with an input of {names}")
        return Cell(name, int(numbers[0]), int(numbers[1]))

    @property
    def model(self) -> str:
        return self.input.removesuffix(_BINARY)

    @property
    def kind(self) -> str:
        """Of body: `table`, `image` (numbers as text), `image-binary`."""
        return self.input if self.model == "image" else "table"

    @property
    def group(self) -> tuple[str, int]:
        """Cells of one group stand side by side in one table."""
        return self.input, self.rows

    def __str__(self) -> str:
        return f"{self.input}:{self.rows}:{self.connections}"


def all_cells() -> list[Cell]:
    """Of tables with one row and with 1,000, and of one image, on 1, 8 and 64 connections."""
    tables = [Cell(name, rows, many) for name in ("m1", "m2") for rows in _ROWS for many in _CONNECTIONS]
    return tables + [Cell(name, 1, many) for name in ("image", f"image{_BINARY}") for many in _CONNECTIONS]


def main_cells() -> list[Cell]:
    """Those that a run of some 25 minutes has time for: not the longest queues of the largest bodies."""
    return [cell for cell in all_cells() if cell.connections <= 8 or (cell.rows == 1 and cell.kind == "table")]
