"""`magis-calib`: runs a station with its window, headless, or from a recording.

Commands: (none) run a station · replay · fit · session · why · ledger · settings ·
response · poke · scan · optimise · calibrate ·
products · config · keys · check · check-driver · benchmark.
Each has --help.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from collections.abc import Sequence

from magis_calib.host.memory import keep_freed_memory

COMMANDS = {
    "run": "magis_calib.cli.run",
    "replay": "magis_calib.cli.replay",
    "fit": "magis_calib.cli.fit",
    "session": "magis_calib.cli.session",
    "why": "magis_calib.cli.why",
    "ledger": "magis_calib.cli.decisions",
    "settings": "magis_calib.cli.settings",
    "response": "magis_calib.cli.response",
    "poke": "magis_calib.cli.poke",
    "scan": "magis_calib.cli.procedures",
    "optimise": "magis_calib.cli.optimise",
    "calibrate": "magis_calib.cli.calibrate",
    "products": "magis_calib.cli.products",
    "config": "magis_calib.cli.config",
    "keys": "magis_calib.cli.keys",
    "check": "magis_calib.cli.check",
    "check-driver": "magis_calib.cli.check_driver",
    "benchmark": "magis_calib.cli.benchmark",
}
SWITCH_S = 5e-4
"""A thread that wants to run waits so long for one that does: the recorder shall not hold up a
decision for 5 ms.
"""
INTERRUPTED = 130
THREAD_LIMITS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 fine, 1 fault, 2 bad configuration or usage, 130
    interrupted.

    `argv`: words of a command; None for those that this process was started with.
    """
    settle_in()
    if argv is None:  # SIGTERM shall leave as little lying about as Ctrl-C
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    words = list(sys.argv[1:] if argv is None else argv)
    command = words.pop(0) if words and words[0] in COMMANDS else "run"
    run = importlib.import_module(COMMANDS[command]).main
    gc.freeze()  # what was imported stays: to look through it again takes 50 ms every few drops
    try:
        code: int = run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # nobody reads any more: not worth a traceback
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def settle_in() -> None:
    """Give this process the habits of the application: threads, memory, and how soon one thread
    makes room.
    """
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, "1")
    keep_freed_memory()
    sys.setswitchinterval(SWITCH_S)


if __name__ == "__main__":
    sys.exit(main())
