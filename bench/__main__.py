"""``python -m bench`` measures every table and writes it to bench/results/, which takes hours.

``python -m bench faults --seeds 5 --replies 300`` measures one of them, and prints it only.
"""

import argparse
import os
import random
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from bench import faults, surge
from bench.chaos.run import is_survived
from bench.report import report
from bench.simulated import backlog
from bench.simulated import surge as simulated_surge
from bench.start import large
from bench.start import table as start
from bench.surge_table import Setting, Trouble

RESULTS = Path(__file__).with_name("results")

parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
tables = parser.add_subparsers(dest="table", metavar="TABLE")
faults_parser = tables.add_parser("faults", help="what becomes of replies when everything fails that can")
faults_parser.add_argument("--seeds", type=int, default=2, help="how many runs, with seeds 1, 2, … (default 2)")
faults_parser.add_argument("--replies", type=int, default=300, help="replies in each run (default 300)")
surge_parser = tables.add_parser("surge", help="how much of the quota a surge gets, and what it costs")
surge_parser.add_argument("--rates", type=float, nargs="+", default=[2, 5, 50], help="quotas, in requests a second")
surge_parser.add_argument("--latencies", type=float, nargs="+", default=[150, 600], help="of a call, in milliseconds")
troubles = get_args(Trouble.__value__)
surge_parser.add_argument("--troubles", nargs="+", choices=troubles, default=troubles, help="what else happens")
surge_parser.add_argument("--seconds", type=float, help="how long each surge takes up the quota (default: 300, 600)")
surge_parser.add_argument(
    "--environments", type=int, default=surge.ENVIRONMENTS, help="at once (default %(default)s, some 6 GB)"
)
surge_parser.add_argument("--plot", type=Path, metavar="FILE", help="draw emails accepted over time (PNG)")
backlog_parser = tables.add_parser("backlog", help="a million replies at once (simulated)")
backlog_parser.add_argument("--replies", type=int, default=1_000_000, help="how many (default %(default)s)")
simulated_parser = tables.add_parser("simulated", help="surges of the largest rates, for long (simulated)")
simulated_parser.add_argument("--largest", type=float, default=500, help="rate (default %(default)s)")
start_parser = tables.add_parser("start", help="what a cold start and a warm email cost")
start_parser.add_argument("--runs", type=int, default=20, help="how often each is started (default %(default)s)")
start_parser.add_argument("--large", type=int, default=8, help="largest replies in a row (default %(default)s)")
storm_parser = tables.add_parser("storm", help="exit with 1 if a storm loses a reply, or sends one twice")
storm_parser.add_argument("--seed", type=int, default=int(os.environ.get("CHAOS_SEED") or random.randrange(2**32)))
storm_parser.add_argument("--replies", type=int, default=300, help="replies in each storm (default 300)")

TABLES: dict[str, Callable[[argparse.Namespace], str]] = {
    "faults": lambda options: faults.table(range(1, options.seeds + 1), options.replies),
    "surge": lambda options: surge.table(
        [
            Setting(rate, latency / 1000, trouble, options.seconds or surge.SECONDS[trouble])
            for rate in options.rates
            for trouble in options.troubles  # settings that take equally long are neighbours, and run together
            for latency in options.latencies
        ],
        options.environments,
        options.plot,
    ),
    "backlog": lambda options: backlog.table(options.replies),
    "simulated": lambda options: simulated_surge.table(
        [setting for setting in simulated_surge.SETTINGS if setting.rate <= options.largest]
    ),
    "start": lambda options: start.table(options.runs) + large.table(options.large),
}
ALL = [["faults"], ["surge", "--plot", "bench/results/surge.png"], ["backlog"], ["simulated"], ["start"]]

if __name__ == "__main__":
    given = sys.argv[1:]
    for arguments in [given] if given else ALL:
        options = parser.parse_args(arguments)
        if options.table == "storm":
            sys.exit(not is_survived(options.seed, options.replies))
        text = report(f"python -m bench {shlex.join(arguments)}", TABLES[options.table](options))
        print(text)
        if not given:
            (RESULTS / f"{options.table}.md").write_text(text)
