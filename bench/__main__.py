"""`python -m bench` measures every table and writes it to bench/results/, which takes about an hour.

`python -m bench faults --seeds 5 --replies 300` measures one table and prints it.
"""

import argparse
import os
import random
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from bench import backlog, drafts, faults, start, surge
from bench.report import report
from bench.storm import survives

RESULTS = Path(__file__).with_name("results")
TROUBLES = get_args(surge.Trouble.__value__)

parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
tables = parser.add_subparsers(dest="table", metavar="TABLE")
faults_parser = tables.add_parser("faults", help="what becomes of replies when everything fails that can fail")
faults_parser.add_argument("--seeds", type=int, default=2, help="how many runs, with seeds 1, 2, … (default 2)")
faults_parser.add_argument("--replies", type=int, default=300, help="replies in each run (default 300)")
surge_parser = tables.add_parser("surge", help="how much of the quota a surge gets, and what it costs")
surge_parser.add_argument("--rates", type=float, nargs="+", default=[2, 5], help="quotas, in requests a second")
surge_parser.add_argument("--latencies", type=float, nargs="+", default=[150, 600], help="of a call, in milliseconds")
surge_parser.add_argument("--troubles", nargs="+", choices=TROUBLES, default=TROUBLES, help="what else happens")
surge_parser.add_argument("--seconds", type=float, help="how long each surge takes up the quota (default: 300, 600)")
surge_parser.add_argument("--plot", type=Path, metavar="FILE", help="draw emails and calls over time (PNG)")
backlog_parser = tables.add_parser("backlog", help="a quarter of a million replies at once (simulated)")
backlog_parser.add_argument("--replies", type=int, default=250_000, help="how many (default %(default)s)")
drafts_parser = tables.add_parser("drafts", help="replies whose draft the function makes (simulated)")
drafts_parser.add_argument("--share", type=float, default=1, help="of the replies of each row (default %(default)s)")
start_parser = tables.add_parser("start", help="what a cold start and a warm email cost")
start_parser.add_argument("--runs", type=int, default=20, help="how often each function starts (default %(default)s)")
start_parser.add_argument("--large", type=int, default=8, help="largest replies in a row (default %(default)s)")
storm_parser = tables.add_parser("storm", help="exit with 1 if a storm loses a reply, or sends one twice")
storm_parser.add_argument("--seed", type=int, default=int(os.environ.get("CHAOS_SEED") or random.randrange(2**32)))
storm_parser.add_argument("--replies", type=int, default=300, help="replies in each storm (default 300)")

TABLES: dict[str, Callable[[argparse.Namespace], str]] = {
    "faults": lambda options: faults.table(range(1, options.seeds + 1), options.replies),
    "surge": lambda options: surge.table(
        [
            surge.Setting(rate, latency / 1000, trouble, options.seconds or surge.SECONDS[trouble])
            for rate in options.rates
            for trouble in options.troubles
            for latency in options.latencies
        ],
        options.plot,
    ),
    "backlog": lambda options: backlog.table(options.replies),
    "drafts": lambda options: drafts.table(options.share),
    "start": lambda options: start.table(options.runs) + start.large_table(options.large),
}
ALL = [["faults"], ["surge", "--plot", "bench/results/surge.png"], ["backlog"], ["drafts"], ["start"]]

if __name__ == "__main__":
    given = sys.argv[1:]
    for arguments in [given] if given else ALL:
        options = parser.parse_args(arguments)
        if options.table == "storm":
            sys.exit(not survives(options.seed, options.replies))
        text = report(f"python -m bench {shlex.join(arguments)}", TABLES[options.table](options))
        print(text)
        if not given:
            (RESULTS / f"{options.table}.md").write_text(text)
