/** Sends a run to the trackers in its config while it is running. */

import { join } from "node:path";
import { z } from "zod";
import { frameTable } from "./episode_table.ts";
import { mlflow } from "./mlflow.ts";
import {
  type Journal,
  Outbox,
  type Sent,
  type TrackerReport,
} from "./outbox.ts";
import { tensorboard } from "./tensorboard.ts";
import { trackio } from "./trackio.ts";
import type {
  OpenTracker,
  RunEnd,
  TrackedRun,
  Tracker,
} from "./run_tracker.ts";
import {
  type TrackerName,
  trackersIn,
  type TrackingConfig,
} from "./tracking_schema.ts";
import { wandb } from "./wandb.ts";
import type { RunDir } from "../runs/run_dir.ts";
import { readTextIfThere } from "../runs/storage.ts";

/**
 * The functions that create the trackers from a config, keyed by tracker.
 * @throws {ConfigError} If a required setting is missing.
 */
const FACTORIES: Readonly<
  Record<TrackerName, (config: TrackingConfig) => Tracker>
> = { tensorboard, mlflow, wandb, trackio };

/** The file in the run dir with the state of each tracker. */
const FILE = "tracking.json";

/** The minimum interval between writes of `tracking.json`. */
const WRITE_EVERY_MS = 10_000;

/** The maximum time to wait for trackers at the end of a run, in milliseconds. */
const CLOSE_MS = 15_000;

const sentSchema = z.object({
  schemaVersion: z.literal(1),
  trackers: z.record(
    z.string(),
    z.object({
      points: z.int().min(0),
      place: z.record(z.string(), z.string()),
    }),
  ),
});

/** Options for {@linkcode track}. */
export interface TrackOptions {
  readonly journal: Journal;
  /** Called when a tracker has registered the run, with the link to it. */
  readonly onLink?: ((name: TrackerName, link: string) => void) | undefined;
  /** The maximum wait at the end. Default: 15 seconds. */
  readonly closeMs?: number;
  /** The first backoff. Default: 1 second. */
  readonly backoffMs?: number;
}

/**
 * The trackers of a session. Use it with `await using`: if {@linkcode Tracking.end} was not called, the session then
 * ends as failed.
 */
export interface Tracking extends AsyncDisposable {
  /** Signals that the journal has grown. Returns immediately. */
  wake(): void;
  /**
   * Sends the remaining points and the end of the session, for a limited time, and returns a report on each tracker.
   * Later calls return the same reports.
   */
  end(outcome: RunEnd["outcome"]): Promise<readonly TrackerReport[]>;
}

/**
 * Starts the trackers of a session without waiting for them.
 * @throws {ConfigError} If a tracker lacks a required setting.
 */
export async function track(
  run: RunDir<{ readonly seed: number; readonly tracking: TrackingConfig }>,
  options: TrackOptions,
): Promise<Tracking> {
  const { tracking } = run.config;
  const trackers = trackersIn(tracking).map((name) =>
    FACTORIES[name](tracking)
  );
  const { journal, onLink, closeMs = CLOSE_MS, ...timing } = options;
  const before = trackers.length === 0 ? {} : await readSent(run.path);
  const notes = new StateFile(run, before);
  const shown = new Set<TrackerName>();
  const outboxes = trackers.map((tracker) => {
    const { name } = tracker;
    const outbox: Outbox = new Outbox(tracker, {
      ...timing,
      run: trackedRun(run),
      journal,
      before: before[name],
      onSent({ link }: OpenTracker) {
        if (!shown.has(name)) onLink?.(name, link);
        notes.add(name, outbox.sent, { isFirst: !shown.has(name) });
        shown.add(name);
      },
    });
    return outbox;
  });
  let ended: Promise<readonly TrackerReport[]> | undefined;
  const end = async (outcome: RunEnd["outcome"]) => {
    if (outboxes.length === 0) return [];
    const last: RunEnd = {
      outcome,
      timeMs: Date.now(),
      step: journal.length === 0 ? 0 : journal.at(journal.length - 1).step,
      episodes: await frameTable(run.path),
    };
    await Promise.all(
      outboxes.map((outbox) => outbox.close(last, { timeoutMs: closeMs })),
    );
    for (const { name, sent } of outboxes) notes.add(name, sent);
    await notes.write();
    return outboxes.map(({ report }) => report);
  };
  return {
    wake: () => outboxes.forEach((outbox) => outbox.wake()),
    end: (outcome) => ended ??= end(outcome),
    async [Symbol.asyncDispose]() {
      await (ended ??= end("failed"));
    },
  };
}

function trackedRun(
  { name, path, config, info }: Parameters<typeof track>[0],
): TrackedRun {
  const { kind, startedAt, seed, version, commit } = info;
  return {
    name,
    path,
    kind,
    project: config.tracking.project,
    startedAtMs: Date.parse(startedAt),
    seed,
    version,
    commit,
    config,
  };
}

/** The file `tracking.json`. */
class StateFile {
  readonly #run: Parameters<typeof track>[0];
  readonly #sent: Record<string, Sent>;
  #writtenAtMs = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(run: Parameters<typeof track>[0], sent: Record<string, Sent>) {
    this.#run = run;
    this.#sent = { ...sent };
  }

  add(
    name: TrackerName,
    sent: Sent | undefined,
    { isFirst = false }: { readonly isFirst?: boolean } = {},
  ): void {
    if (sent !== undefined) this.#sent[name] = sent;
    const now = performance.now();
    if (!isFirst && now - this.#writtenAtMs < WRITE_EVERY_MS) return;
    this.#writtenAtMs = now;
    void this.write();
  }

  /**
   * Writes the file. A failed write is ignored, because it only causes points to be sent twice; if the disk is full,
   * the run stops when it writes its own files.
   */
  write(): Promise<void> {
    this.#writing = this.#writing.then(() => {
      if (Object.keys(this.#sent).length === 0) return;
      const state = { schemaVersion: 1, trackers: this.#sent };
      return this.#run.writeText(FILE, `${JSON.stringify(state, null, 2)}\n`)
        .catch(() => {});
    });
    return this.#writing;
  }
}

/** Reads the states of the trackers; empty if the file is missing or damaged, so that everything is sent again. */
async function readSent(path: string): Promise<Record<string, Sent>> {
  const text = await readTextIfThere(join(path, FILE));
  try {
    return sentSchema.parse(JSON.parse(text ?? "")).trackers;
  } catch {
    return {};
  }
}
