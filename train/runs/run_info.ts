/** `run.json`: a run's kind and settings, when it ran and how it ended. */

import { z } from "zod";
import project from "../../deno.json" with { type: "json" };
import { readTextIfThere } from "./storage.ts";

/** The version of `run.json` and of the whole run dir; newer runs are rejected. */
export const RUN_VERSION = 1;

/**
 * The outcome of a run or of one of its sessions. If the process is killed, the file still says `running`, but readers
 * report `stopped`. `stopped` is never written.
 */
export type Outcome =
  | "running"
  | "stopped"
  | "completed"
  | "interrupted"
  | "failed";

const outcome = z.enum([
  "running",
  "stopped",
  "completed",
  "interrupted",
  "failed",
]);

/** The schema of `run.json`. */
export const runInfoSchema = z.object({
  schemaVersion: z.literal(RUN_VERSION),
  /** The kind of work: training or an evaluation. */
  kind: z.enum(["train", "evaluate"]).default("train"),
  /** The trainer of the run: the embedded CPU trainer, or slime, which is launched from this machine. */
  trainer: z.enum(["cpu", "slime"]).default("cpu"),
  /** The version of taulab when the run was created. */
  version: z.string(),
  /** The commit of taulab when the run was created; `null` if it is unknown, as outside a git checkout. */
  commit: z.string().nullable(),
  seed: z.int(),
  dataset: z.object({ name: z.string(), fingerprint: z.string() }),
  host: z.object({
    os: z.string(),
    arch: z.string(),
    cores: z.int(),
    deno: z.string(),
  }),
  /** The start time of the run in ISO 8601 format, UTC. */
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  outcome,
  /** The sessions: the first one, and one for each time that the run was resumed. */
  sessions: z.array(z.object({
    startedAt: z.string(),
    endedAt: z.string().nullable(),
    outcome,
    wallS: z.number().nullable(),
    peakRssBytes: z.number().nullable(),
  })),
  /**
   * The figures at the end of the last session that ended; `null` if none has ended, or if that session threw an error.
   */
  result: z.record(z.string(), z.unknown()).nullable(),
});

/** The contents of `run.json`. */
export type RunInfo = z.infer<typeof runInfoSchema>;

/** Returns a timestamp that distinguishes runs with the same name: `20260102-030405`, in UTC. */
export function stamp(now: Date): string {
  return now.toISOString().replaceAll(/[-:]/g, "").replace("T", "-")
    .slice(0, 15);
}

/** Returns the info of a run that starts now. */
export async function newRunInfo(options: {
  kind?: "train" | "evaluate";
  trainer?: RunInfo["trainer"];
  seed: number;
  dataset: { name: string; fingerprint: string };
  now: Date;
}): Promise<RunInfo> {
  return {
    schemaVersion: RUN_VERSION,
    kind: options.kind ?? "train",
    trainer: options.trainer ?? "cpu",
    version: project.version,
    commit: await currentCommit(),
    seed: options.seed,
    dataset: options.dataset,
    host: {
      os: Deno.build.os,
      arch: Deno.build.arch,
      cores: navigator.hardwareConcurrency,
      deno: Deno.version.deno,
    },
    startedAt: options.now.toISOString(),
    endedAt: null,
    outcome: "running",
    sessions: [],
    result: null,
  };
}

/**
 * Reads the commit of this checkout from `.git`, because running git would need a permission; `null` if it cannot be
 * read.
 */
async function currentCommit(): Promise<string | null> {
  const git = new URL("../../.git/", import.meta.url);
  try {
    const head = (await Deno.readTextFile(new URL("HEAD", git))).trim();
    const ref = /^ref: (.+)$/.exec(head)?.[1];
    if (ref === undefined) return head;
    const loose = await readTextIfThere(new URL(ref, git));
    if (loose !== undefined) return loose.trim();
    const packed = await readTextIfThere(new URL("packed-refs", git)) ?? "";
    const line = packed.split("\n").find((one) => one.endsWith(` ${ref}`));
    return line?.split(" ")[0] ?? null;
  } catch {
    return null; // not a checkout, or not readable; the commit is optional
  }
}
