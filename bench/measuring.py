"""Times commands: shared by judge_rounds and verify_rounds."""
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time


def read(path):
    return pathlib.Path(path).read_text().strip()


def machine():
    models = [line.split(": ", 1)[1] for line in read("/proc/cpuinfo").splitlines() if line.startswith("model name")]
    return {"kernel": platform.release(), "architecture": platform.machine(), "cpu": models[0] if models else "unknown",
            "cpus": os.cpu_count(),
            "clocksource": read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
            "load_at_start": read("/proc/loadavg")}


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure(command, wanted_status):
    """Wall time and peak memory of one command, whose output nobody reads."""
    begun = time.monotonic()
    child = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != wanted_status:
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {command[0]} ended with {child.returncode}, not {wanted_status}")
    return {"seconds": time.monotonic() - begun, "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_mib": usage.ru_maxrss / 1024}


def median(runs, what):
    return statistics.median(run[what] for run in runs)
