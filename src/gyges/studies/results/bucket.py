"""An object store as the place of results, through fsspec: s3://, gs://, az://, hf://, or file:// for a folder that is used like one.

A result goes up file by file, its record last, and comes down into a folder of another name that is renamed when it is whole. Not covered:
a lock between machines. Two that make one result at the same time both do so, and the later one stands; their keys, and so what they are made of, are the same.
"""

from collections.abc import Iterable
from pathlib import Path

from gyges.errors import UserError
from gyges.files import replacing_folder


class Bucket:
    """Folders of files under an address.

    Args:
        url: with a protocol that fsspec knows.

    Raises:
        UserError: the protocol is unknown, or its package is not installed.
    """

    def __init__(self, url: str) -> None:
        from fsspec.core import url_to_fs

        self.url = url
        try:
            self.fs, self.path = url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise UserError(
                f"'{url}' cannot be opened: {error}", "Install the package that fsspec needs for it, e.g. s3fs or gcsfs"
            ) from None

    def __reduce__(self) -> tuple[type["Bucket"], tuple[str]]:
        return Bucket, (self.url,)  # a worker opens it anew, with its own credentials and connections

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The files that there are of these, all asked for at once.

        Raises:
            UserError: the bucket cannot be reached.
        """
        wanted = {f"{self.path}/{path}": path for path in paths}
        try:
            found = self.fs.cat(list(wanted), on_error="return") if wanted else {}
        except (OSError, ValueError) as error:
            raise UserError(f"{self.url} cannot be read: {error}", "Check address, credentials and network") from None
        failed = [e for e in found.values() if isinstance(e, Exception) and not isinstance(e, FileNotFoundError)]
        if failed:
            raise UserError(f"{self.url} cannot be read: {failed[0]}", "Check address, credentials and network")
        return {wanted[at]: data for at, data in found.items() if isinstance(data, bytes)}

    def list(self, pattern: str) -> list[str]:
        """The files that match."""
        return [found.removeprefix(f"{self.path}/") for found in self.fs.glob(f"{self.path}/{pattern}")]

    def pull(self, name: str, folder: Path) -> None:
        """Bring a folder here, whole or not at all."""
        with replacing_folder(folder) as part:
            self.fs.get(f"{self.path}/{name}/", f"{part}/", recursive=True)

    def push(self, folder: Path, name: str, last: str) -> None:
        """Send a folder, one of its files last."""
        files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p != folder / last]
        for path in [*files, folder / last]:
            self.put(path, f"{name}/{path.relative_to(folder).as_posix()}")

    def put(self, path: Path, to: str) -> None:
        """Send one file."""
        target = f"{self.path}/{to}"
        self.fs.makedirs(target.rpartition("/")[0], exist_ok=True)
        self.fs.put_file(str(path), target)

    def remove(self, name: str, first: str) -> None:
        """Delete a folder, one of its files first."""
        for path, recursive in ((f"{self.path}/{name}/{first}", False), (f"{self.path}/{name}", True)):
            if self.fs.exists(path):
                self.fs.rm(path, recursive=recursive)
