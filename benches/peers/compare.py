"""Runs this crate and other libraries in turn on the same workloads, and prints how many times faster it is.

    python -m pip install -r requirements.txt
    python compare.py                                  # everything
    python compare.py w2 w4 --peers jax,sklearn --threads 1 --rounds 3 --out lines.jsonl

The speed of a shared machine drifts by more than libraries differ. So each round runs everything once, one after the
other, a ratio is taken within its round, and the median of the ratios is what counts. Every process is kept on as many
cores as it may have threads.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PEERS = dict(
    w1=["jax", "keras", "sklearn", "torch"],
    w2=["jax", "keras", "sklearn", "torch"],
    w3=["sklearn"],
    w4=["onnxruntime", "jax", "keras", "sklearn", "torch"],
    w5=["sklearn", "jax", "torch", "keras"],
)
# The one number of a workload, and whether more of it is better.
METRICS = {
    "train_samples_per_s": True,
    "step_us": False,
    "fit_new_model_s": False,
    "wall_s": False,
    "batch_samples_per_s": True,
    "single_row_p50_us": False,
    "start_to_fitted_s": False,
    "peak_rss_mib": False,
}


def program():
    """Builds the benchmark and gives its path."""
    command = ["cargo", "bench", "--bench", "workloads", "--no-run", "--message-format", "json"]
    built = subprocess.run(command, cwd=HERE.parent.parent, stdout=subprocess.PIPE, text=True, check=True)
    messages = [json.loads(line) for line in built.stdout.splitlines()]
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "workloads")


def lines(command, threads):
    """The JSON lines of a process kept on so many cores; none if it fails."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    keep = lambda: os.sched_setaffinity(0, cores)
    run = subprocess.run(command, preexec_fn=keep, capture_output=True, text=True, cwd=HERE)
    if run.returncode != 0:
        print("failed:", *command, run.stderr[-1000:], file=sys.stderr)
    return [json.loads(line) for line in run.stdout.splitlines() if re.match(r"\{.*\}$", line)]


def numbers(records):
    return {record["metric"]: record["value"] for record in records if record["metric"] in METRICS}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", default=list(PEERS), metavar="w1|w2|w3|w4|w5")
    parser.add_argument("--peers", default="", help="names, separated by commas; all if left out")
    parser.add_argument("--threads", default="1,2", help="numbers of threads, separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3, help="measurements in a round, of which the median counts")
    parser.add_argument("--patience", type=int, default=30, help="seconds in which ours looks for quiet repeats")
    parser.add_argument("--program", help="our benchmark, if it is built already")
    parser.add_argument("--out", help="a file to which all JSON lines are appended")
    options = parser.parse_args()
    if unknown := set(options.workloads) - set(PEERS):
        parser.error(f"unknown workloads: {', '.join(sorted(unknown))}")
    ours = options.program or program()
    ours_only = ["--json", "--bench", "--patience", str(options.patience)]
    for workload in options.workloads:
        peers = [peer for peer in PEERS[workload] if not options.peers or peer in options.peers.split(",")]
        for threads in map(int, options.threads.split(",")):
            if threads > 1 and workload in ("w2", "w5"):
                continue
            arguments = [workload, "--threads", str(threads), "--repeats", str(options.repeats)]
            # Ours runs before and after each peer: what drifts from one end of a round to the other cancels out.
            rounds = {peer: [] for peer in peers}
            for _ in range(options.rounds):
                before = lines([ours, *arguments, *ours_only], threads)
                for peer in peers:
                    theirs = lines([sys.executable, f"with_{peer}.py", *arguments], threads)
                    after = lines([ours, *arguments, *ours_only], threads)
                    rounds[peer].append((numbers(before), numbers(theirs), numbers(after)))
                    if options.out:
                        with open(options.out, "a") as out:
                            out.writelines(json.dumps(record) + "\n" for record in [*before, *theirs])
                    before = after
            table(workload, threads, rounds)


def table(workload, threads, rounds):
    print(f"\n{workload}, {threads} thread{'s' * (threads > 1)}")
    print(f"  {'':14} {'':22} {'theirs':>12} {'ours':>12} {'times faster':>14}   (lowest to highest)")
    for peer, measured in rounds.items():
        for metric, more_is_better in METRICS.items():
            triples = [[m[metric] for m in triple] for triple in measured if all(metric in m for m in triple)]
            if not triples:
                continue
            own = [(before + after) / 2 for before, _, after in triples]
            theirs = [other for _, other, _ in triples]
            ratios = [o / t if more_is_better else t / o for o, t in zip(own, theirs)]
            print(
                f"  {peer:14} {metric:22} {statistics.median(theirs):12.5g} {statistics.median(own):12.5g}"
                f" {statistics.median(ratios):14.2f}   ({min(ratios):.2f} to {max(ratios):.2f})"
            )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
