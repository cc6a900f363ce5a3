"""Parquet files are looked at before they are read: a hundred kilobytes can unpack to more than any memory."""

from io import BytesIO
from typing import TYPE_CHECKING, Any

from mooring.modelserver.errors import InvalidInput, TooLarge, paragraph

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_CELL_BYTES = 8
_LARGEST_RATIO, _ALWAYS_TAKEN = 250, 8 << 20
"""As for compressed bodies."""
_LARGEST_BYTES = 1 << 30
_BATCH_ROWS = 65_536


def check(body: bytes) -> None:
    """Raises InvalidInput for what is no Parquet file, TooLarge for one whose table is far larger than it is."""
    # Not above: a tenth of a second, and hardly anybody sends this.
    import pyarrow
    import pyarrow.parquet as pq

    most = min(_LARGEST_BYTES, max(_ALWAYS_TAKEN, _LARGEST_RATIO * len(body)))
    try:
        with pq.ParquetFile(BytesIO(body)) as file:
            if _table_bytes(file) > most or not _do_texts_fit(body, file, most):
                raise TooLarge(most, f"the Parquet file unpacks to more than {most} bytes: send fewer rows per request")
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise InvalidInput(f"the body is not a Parquet file: {paragraph(str(error))[:200]}") from None


def _chunks(file: "pq.ParquetFile") -> list[Any]:
    groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
    return [group.column(at) for group in groups for at in range(group.num_columns)]


def _table_bytes(file: "pq.ParquetFile") -> int:
    """At least; a text that is repeated counts once."""
    return sum(max(chunk.num_values * _CELL_BYTES, chunk.total_uncompressed_size) for chunk in _chunks(file))


def _do_texts_fit(body: bytes, file: "pq.ParquetFile", most: int) -> bool:
    """Texts written once and repeated by their number: only looked into where they could be too much."""
    texts = [chunk for chunk in _chunks(file) if chunk.physical_type in ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")]
    if sum(chunk.num_values * chunk.total_uncompressed_size for chunk in texts) <= most:
        return True
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    names = sorted({chunk.path_in_schema for chunk in texts})
    size = 0
    with pq.ParquetFile(BytesIO(body), read_dictionary=names) as numbered:
        for batch in numbered.iter_batches(_BATCH_ROWS, columns=names):
            for column in batch.columns:
                if hasattr(column, "dictionary"):
                    lengths = pc.binary_length(column.dictionary)
                    size += pc.sum(lengths.take(column.indices)).as_py() or 0
            if size > most:
                return False
    return True
