"""Has the real TensorBoard read a log directory and prints what it saw as JSON. Run by tests/tensorboard_reader.rs.

    python tests/tensorboard_reader.py LOG_DIRECTORY

Curves, histograms and texts come from TensorBoard's EventAccumulator; the HParams table from the session-groups API of a
TensorBoard server on 127.0.0.1, once with its Python loader and once with its fast loader, which is another program.
"""

import json
import pathlib
import sys
import time
import urllib.request

from tensorboard import default, program
from tensorboard import version as tensorboard_version
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.util.tensor_util import make_ndarray

SECONDS_TO_LOAD = 60


def plain(array):
    if array.dtype == object:
        return [item.decode() for item in array.flatten()]
    # JSON has no NaN.
    return [repr(float(x)) for x in array.flatten()]


def run(directory):
    events = EventAccumulator(str(directory), size_guidance={"tensors": 0})
    events.Reload()
    return {
        tag: {
            "plugin": events.SummaryMetadata(tag).plugin_data.plugin_name,
            "steps": [event.step for event in events.Tensors(tag)],
            "wall_times": [event.wall_time for event in events.Tensors(tag)],
            "shapes": [list(make_ndarray(event.tensor_proto).shape) for event in events.Tensors(tag)],
            "values": [plain(make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)],
        }
        for tag in events.Tags()["tensors"]
    }


def uneven_histogram():
    """What TensorBoard's own writer makes of the values of `uneven` in tests/tensorboard_reader.rs."""
    values = [(i * i % 1009 * 7919 % 1009) / 1009 - 0.25 for i in range(1000)]
    return plain(make_ndarray(histogram_pb("", values).value[0].tensor))


def post(url, path, request):
    data = json.dumps(request).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url + "data/plugin/hparams/" + path, data, headers)) as answer:
        return json.load(answer)


def table(directory, load_fast):
    server = program.TensorBoard(default.get_plugins())
    server.configure(argv=["tensorboard", "--logdir", str(directory), "--host", "127.0.0.1", "--port", "0",
                           "--load_fast", load_fast, "--reload_interval", "1"])
    url = server.launch()
    runs = len({file.parent for file in pathlib.Path(directory).rglob("*tfevents*")})
    deadline = time.monotonic() + SECONDS_TO_LOAD
    while True:
        with urllib.request.urlopen(url + "data/runs") as answer:
            if len(json.load(answer)) == runs:
                break
        if time.monotonic() > deadline:
            raise TimeoutError(f"TensorBoard did not load {runs} runs in {SECONDS_TO_LOAD} s")
        time.sleep(0.2)
    experiment = post(url, "experiment", {})
    # Sorted by every column, because TensorBoard fails to sort a column of mixed kinds.
    columns = [{"hparam": info["name"], "order": "ORDER_ASC"} for info in experiment["hparamInfos"]]
    columns += [{"metric": info["name"], "order": "ORDER_ASC"} for info in experiment["metricInfos"]]
    statuses = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]
    rows = post(url, "session_groups", {"startIndex": 0, "sliceSize": 100, "allowedStatuses": statuses,
                                        "aggregationType": "AGGREGATION_AVG", "colParams": columns})
    return {"experiment": experiment, "rows": rows["sessionGroups"]}


def main():
    directory = pathlib.Path(sys.argv[1])
    seen = {
        "version": tensorboard_version.VERSION,
        "runs": {
            str(path.relative_to(directory)): run(path)
            for path in sorted({file.parent for file in directory.glob("fit/*/*tfevents*")})
        },
        "uneven": uneven_histogram(),
        "tables": {load_fast: table(directory, load_fast) for load_fast in ("false", "auto")},
    }
    print(json.dumps(seen))


main()
