import assert from "node:assert/strict";
import { type Journal, Outbox } from "../../../train/tracking/outbox.ts";
import {
  type Point,
  type RunEnd,
  type TrackedRun,
  type Tracker,
  TrackerError,
} from "../../../train/tracking/run_tracker.ts";

const RUN: TrackedRun = {
  name: "a",
  path: "runs/a",
  kind: "train",
  project: "p",
  startedAtMs: 0,
  seed: 1,
  version: "0",
  commit: null,
  config: {},
};
const END: RunEnd = {
  outcome: "completed",
  timeMs: 0,
  step: 0,
  episodes: { columns: [], rows: [] },
};

/** Creates a journal with the given number of points. A test can increase `length` to add more points. */
function journal(length: number): Journal & { length: number } {
  return {
    length,
    at: (step) => ({ step, timeMs: 0, values: new Map([["x", step]]) }),
  };
}

/** A tracker that stores its points in memory. */
class Shelf implements Tracker {
  readonly name = "mlflow";
  readonly steps: number[] = [];
  readonly opened: unknown[] = [];
  end: RunEnd | undefined;
  /** Errors to throw in the next calls, one error per call. */
  faults: Error[] = [];
  constructor(readonly startsOver = false) {}

  open: Tracker["open"] = (_, { before }) => {
    this.#fail();
    this.opened.push(before);
    return Promise.resolve({
      link: "there",
      place: { id: "7" },
      send: (points: readonly Point[]) => {
        this.#fail();
        this.steps.push(...points.map(({ step }) => step));
        return Promise.resolve();
      },
      end: (end: RunEnd) => {
        this.#fail();
        this.end = end;
        return Promise.resolve();
      },
    });
  };

  #fail(): void {
    const fault = this.faults.shift();
    if (fault !== undefined) throw fault;
  }
}

function outboxOf(
  tracker: Tracker,
  options: Partial<ConstructorParameters<typeof Outbox>[1]> = {},
): Outbox {
  return new Outbox(tracker, {
    run: RUN,
    journal: journal(3),
    onSent() {},
    backoffMs: 1,
    ...options,
  });
}

const down = () => new TrackerError("it is down", { isPassing: true });
const refused = () => new TrackerError("no", { isPassing: false });

Deno.test("Outbox sends each point once and in order, including later ones", async () => {
  const shelf = new Shelf();
  const points = journal(120);
  const outbox = outboxOf(shelf, { journal: points });
  points.length = 130;
  outbox.wake();
  await outbox.close(END, { timeoutMs: 1000 });
  assert.deepEqual(shelf.steps, Array.from({ length: 130 }, (_, i) => i));
  assert.equal(shelf.end, END);
  assert.ok(outbox.report.isWhole);
});

Deno.test("Outbox sends all points to a tracker that fails and recovers, and counts the failures", async () => {
  const shelf = new Shelf();
  shelf.faults = [down(), down()];
  const recovered = Promise.withResolvers<void>();
  const outbox = outboxOf(shelf, { onSent: () => recovered.resolve() });
  await recovered.promise;
  await outbox.close(END, { timeoutMs: 1000 });
  assert.deepEqual(shelf.steps, [0, 1, 2]);
  assert.deepEqual(outbox.report, {
    name: "mlflow",
    link: "there",
    sent: 3,
    points: 3,
    failures: 2,
    failure: "it is down",
    isWhole: true,
  });
});

Deno.test("Outbox.close() retries three times if a tracker is down, then gives up", async () => {
  const shelf = new Shelf();
  shelf.faults = Array.from({ length: 99 }, down);
  const outbox = outboxOf(shelf, { backoffMs: 3_600_000 });
  await outbox.close(END, { timeoutMs: 60_000 });
  const { failures, sent, link, isWhole } = outbox.report;
  assert.deepEqual({ failures, sent, link, isWhole }, {
    failures: 4,
    sent: 0,
    link: null,
    isWhole: false,
  });
});

Deno.test("Outbox.close() gives up on a tracker that never answers", async () => {
  const silent: Tracker = {
    name: "mlflow",
    startsOver: false,
    open: (_, { signal }) =>
      new Promise((_, reject) =>
        signal?.addEventListener("abort", () => reject(signal.reason))
      ),
  };
  const outbox = outboxOf(silent);
  await outbox.close(END, { timeoutMs: 10 });
  assert.equal(outbox.report.isWhole, false);
});

Deno.test("Outbox does not retry what a tracker rejects", async () => {
  const shelf = new Shelf();
  shelf.faults = [refused()];
  const outbox = outboxOf(shelf);
  await outbox.close(END, { timeoutMs: 1000 });
  assert.deepEqual(shelf.opened, []);
  assert.equal(outbox.report.failures, 1);
  assert.equal(outbox.report.failure, "no");
});

Deno.test("Outbox continues after the points of an earlier session, unless its tracker starts over", async () => {
  const before = { points: 2, place: { id: "7" } };
  for (const startsOver of [false, true]) {
    const shelf = new Shelf(startsOver);
    const outbox = outboxOf(shelf, { before });
    await outbox.close(END, { timeoutMs: 1000 });
    assert.deepEqual(shelf.steps, startsOver ? [0, 1, 2] : [2]);
    assert.deepEqual(shelf.opened, [{ id: "7" }]);
    assert.deepEqual(outbox.sent, { points: 3, place: { id: "7" } });
  }
});

Deno.test("Outbox calls keepAlive of a tracker while there are no points", async () => {
  const heard = Promise.withResolvers<void>();
  let calls = 0;
  const shelf = new Shelf();
  const tracker: Tracker = {
    ...shelf,
    name: shelf.name,
    open: async (run, options) => ({
      ...await shelf.open(run, options),
      keepAlive: {
        everyMs: 1,
        call: () => {
          if (++calls === 2) heard.resolve();
          return Promise.resolve();
        },
      },
    }),
  };
  const points = journal(1);
  const outbox = outboxOf(tracker, { journal: points });
  await heard.promise;
  points.length = 2;
  await outbox.close(END, { timeoutMs: 1000 });
  assert.deepEqual(shelf.steps, [0, 1]);
  assert.ok(outbox.report.isWhole);
});
