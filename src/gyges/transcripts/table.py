"""`verdicts.parquet`: rows as a table, written whole or not at all, and read back."""

import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from gyges.errors import UserError
from gyges.files import replacing
from gyges.transcripts.rows import Row

TABLE = "verdicts.parquet"
JSON_COLUMNS = ("factors", "evidence", "remarks")


def write_table(rows: Iterable[Row], out: Path) -> None:
    """Rows as `out/verdicts.parquet`."""
    frame = pd.DataFrame([row.model_dump(mode="json") for row in rows], columns=list(Row.model_fields))
    for column in JSON_COLUMNS:
        frame[column] = frame[column].map(json.dumps)
    with replacing(out / TABLE) as part:
        frame.to_parquet(part, index=False)


def read_table(path: Path) -> list[Row]:
    """Rows back from `verdicts.parquet`, also from one of an earlier version.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        frame = pd.read_parquet(path)
        records = frame.astype(object).where(frame.notna(), None).to_dict("records")
        for record in records:
            record.update({column: json.loads(str(record[column])) for column in JSON_COLUMNS if column in record})
        return [Row.model_validate(record) for record in records]
    except FileNotFoundError:
        raise UserError(f"'{path.parent}' holds no results", "Run `gyges test MODEL --out DIR` first") from None
    except Exception as error:  # pyarrow, pandas, json and pydantic all mean the same to a user
        raise UserError(
            f"{path} is damaged ({type(error).__name__})", "Delete it and repeat the `gyges test` command"
        ) from None
