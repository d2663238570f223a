"""Holds a run folder's event file against its metrics.jsonl, as TensorBoard reads it.

    events_check.py RUN           a TensorBoard that is started now
    events_check.py BEFORE RUN    one that watched the run when its folder was as BEFORE

Ends with 0 where every tag has the steps and values of the rows, once each, in order, at times
that do not go back.
"""

import collections
import json
import pathlib
import sys
import tempfile

import numpy
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

EPOCH = ["loss", "classification", "contrast", "mean_cosine", "zero_features", "rate", "masked_share"]
GROUPS = ["all", "balanced", "many", "medium", "few"]


def expected(run):
    """(step, value) by tag."""
    points = collections.defaultdict(list)
    for line in (run / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)
        values = {}
        if row["type"] == "epoch":
            values = {"train/" + key: row.get(key) for key in EPOCH}
            if row["seconds"] > 0:
                values["train/images_per_second"] = row["images"] / row["seconds"]
                values["train/data_wait_share"] = row["data_wait"] / row["seconds"]
        if row["type"] == "evaluation":
            values = {f"{row['set']}/accuracy_{group}": row["accuracy"][group] for group in GROUPS}
        for tag, value in values.items():
            if value is not None:
                points[tag].append((row["epoch"], value))
    return points


def event_files(run):
    return sorted(run.glob("*tfevents*"))


def take_over(run, watched):
    """The folder `watched` gets the event files as those of `run` are now."""
    for file in event_files(run):
        (watched / file.name).write_bytes(file.read_bytes())


def check(accumulator, run):
    points = expected(run)
    assert points, "no rows"
    tags = accumulator.Tags()["scalars"]
    assert sorted(tags) == sorted(points), (tags, sorted(points))
    for tag, rows in points.items():
        events = accumulator.Scalars(tag)
        assert [event.step for event in events] == [step for step, _ in rows], (tag, events, rows)
        got = numpy.array([event.value for event in events])
        assert (got == numpy.float32([value for _, value in rows])).all(), (tag, got, rows)
        times = [event.wall_time for event in events]
        assert times == sorted(times), (tag, times)


def main():
    run = pathlib.Path(sys.argv[-1])
    assert len([f for f in event_files(run) if f.stat().st_size]) == 1, event_files(run)
    with tempfile.TemporaryDirectory() as folder:
        watched = pathlib.Path(folder)
        accumulator = EventAccumulator(str(watched))
        if len(sys.argv) > 2:
            take_over(pathlib.Path(sys.argv[1]), watched)
            accumulator.Reload()
            assert accumulator.Tags()["scalars"], "nothing was there before"
        take_over(run, watched)
        accumulator.Reload()
        accumulator.Reload()
        check(accumulator, run)


main()
