"""What every benchmark shares: options, rows, threads, peak memory, the table and the JSON."""

import json
import multiprocessing
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Options:
    quick: bool = False
    only: str | None = None
    data: Path = ROOT / "var" / "datasets"
    """The folder of the data sets, each in a folder of its name."""
    figures: Path | None = None
    """Where a claim with figures draws them; None draws none."""
    visits: int | None = None
    """How many visits a claim with visits draws of each kind; None for its own number."""
    seeds: int = 1
    """How often it draws them."""
    titles: tuple[int, ...] = ()
    """The sizes of catalogue that a claim with sizes measures; empty for its own."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What a run says of itself for the report: threads, seeds, chosen settings."""

    def wants(self, protocol: str) -> bool:
        return self.only is None or self.only == protocol


@dataclass(frozen=True)
class Row:
    """One figure; `low` and `high` bound its interval, whose kind the settings name."""

    protocol: str
    system: str
    metric: str
    value: float
    low: float | None = None
    high: float | None = None
    seconds: float | None = None
    peak_mb: float | None = None


def of_seeds(values: list[float]) -> dict[str, float]:
    """Return the median of several runs as `value`, their extremes as `low` and `high`."""
    return {"value": float(np.median(values)), "low": min(values), "high": max(values)}


def say(text: str) -> None:
    """Show progress."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def with_threads(number: int) -> threadpool_limits:
    """Hold every BLAS and OpenMP pool of this process to so many threads."""
    os.environ["OMP_NUM_THREADS"] = str(number)
    return threadpool_limits(limits=number)


def in_own_process(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """Run a function of a module in a fresh process; return its result and peak memory in MB."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_with_peak, (function, arguments))


def _with_peak(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, float]:
    result = function(*arguments)
    return result, peak_mb()


def peak_mb(pid: int | None = None) -> float:
    """Return the most memory that this process, or on Linux another, has held."""
    if platform.system() == "Linux":  # where ru_maxrss also counts what the parent held
        status = Path(f"/proc/{pid or 'self'}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process so far; NaN where the system does not say."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return float("nan")
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def machine() -> dict[str, Any]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cpu": _cpu_name(), "cores": cores, "python": platform.python_version()}


def commit() -> str:
    """Return the commit the tree stands on, marked where it has changes of its own."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return described.stdout.strip() or "unknown"


def table(rows: list[Row]) -> str:
    head = ("protocol", "system", "metric", "value", "interval", "seconds", "MB")
    cells = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[c]) for line in cells) for c in range(len(head))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)


def report(name: str, options: Options, rows: list[Row]) -> str:
    """Return the JSON."""
    return json.dumps(
        {
            "name": name,
            "commit": commit(),
            "machine": machine(),
            "settings": {"quick": options.quick, "only": options.only, **options.settings},
            "rows": [asdict(row) for row in rows],
        },
        indent=2,
    )


def available() -> Iterator[tuple[str, str]]:
    """Yield each benchmark's name and the first line of its docstring."""
    for path in sorted((ROOT / "benchmarks").glob("*.py")):
        text = path.read_text()
        if "\ndef run(options: Options)" in text:
            yield path.stem, text.lstrip('"').splitlines()[0].rstrip('"')


def _cells(row: Row) -> tuple[str, ...]:
    interval = "" if row.low is None else f"{row.low:.4g} to {row.high:.4g}"
    seconds = "" if row.seconds is None else f"{row.seconds:.2f}"
    peak = "" if row.peak_mb is None else f"{row.peak_mb:.0f}"
    return row.protocol, row.system, row.metric, f"{row.value:.4g}", interval, seconds, peak


def _cpu_name() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
