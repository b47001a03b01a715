"""Getting packages with data sets by pip and npm, from the registries that the machine uses, and keeping them."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from datasets.table import FOLDER, Package, Repository, backends
from running import locked

CACHE = FOLDER / ".cache"
_SECONDS = 300


class UnavailableError(Exception):
    """A package cannot be had, for the reason that the client of its registry gives."""


def fetch(packages: Iterable[Package]) -> None:
    """Download and unpack packages, in one run of a client for each kind; raises UnavailableError."""
    CACHE.mkdir(exist_ok=True)
    with locked(CACHE / "fetching.lock"):
        missing = [package for package in packages if not _unpacked(package).exists()]
        wanted = [package for package in missing if not _is_whole(package)]
        npm = [package for package in wanted if package.registry == "npm"]
        wheels = [package for package in wanted if package.file.endswith(".whl")]
        sources = [package for package in wanted if package.registry == "pypi" and package not in wheels]
        with ThreadPoolExecutor() as executor:
            runs = [executor.submit(_npm, npm), executor.submit(_pip, wheels), executor.submit(_pip_sources, sources)]
        for run in runs:
            run.result()
        for package in missing:
            _unpack(package)


def directory(origin: Package | Repository, repositories: Path | None) -> Path:
    """Return the directory with the files of an origin; repositories are folders ``owner+name`` of a directory."""
    if isinstance(origin, Package):
        return _unpacked(origin)
    assert repositories, "a repository is brought here by hand"
    return repositories / origin.name.replace("/", "+")


def _unpacked(package: Package) -> Path:
    return CACHE / f"{package.name.replace('/', '+')}-{package.version}-{package.sha256[:8]}"


def _is_whole(package: Package) -> bool:
    file = CACHE / package.file
    return file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == package.sha256


def _npm(packages: list[Package]) -> None:
    if packages:
        npm = shutil.which("npm")
        if npm is None:
            raise UnavailableError("npm is not here; on Debian: apt-get install nodejs npm")
        names = [f"{package.name}@{package.version}" for package in packages]
        _run([npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(CACHE), *names])


def _pip(packages: list[Package], *options: str, **variables: str) -> None:
    if packages:
        names = [f"{package.name}=={package.version}" for package in packages]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        _run([*command, "--dest", str(CACHE), *options, *names], **variables)


def _pip_sources(packages: list[Package]) -> None:
    """Download source distributions; pip asks the build backend of each what it depends on before it keeps it."""
    if not packages:
        return
    installed = CACHE / "backends"
    if not installed.exists():
        unfinished = CACHE / "backends.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--target", str(unfinished), *backends()])
        unfinished.rename(installed)
    with ThreadPoolExecutor() as executor:
        options = ("--no-binary", ":all:", "--no-build-isolation")
        runs = [executor.submit(_pip, [package], *options, PYTHONPATH=str(installed)) for package in packages]
    for run in runs:
        run.result()


def _run(command: list[str], **variables: str) -> None:
    environment = os.environ | variables
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_SECONDS, env=environment, cwd=CACHE
    )
    if done.returncode:
        raise UnavailableError(f"{' '.join(command[:4])}: {(done.stdout + done.stderr)[-1000:]}")


def _unpack(package: Package) -> None:
    file, target = CACHE / package.file, _unpacked(package)
    assert _is_whole(package), f"{package.file} has not the digest that datasets.toml says"
    unfinished = target.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as archive:
            archive.extractall(unfinished)
    else:
        with tarfile.open(file) as archive:
            archive.extractall(unfinished, filter="data")
        [top] = unfinished.iterdir()
        top.rename(target)
        unfinished.rmdir()
        return
    unfinished.rename(target)
