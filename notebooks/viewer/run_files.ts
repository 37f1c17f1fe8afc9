/**
 * What a run dir's `run.json` and `metrics.jsonl` say, read so that runs of any trainer can be shown: keys that
 * are not known are left alone, and what is missing is missing.
 */

import { join } from "node:path";
import { z } from "zod";
import { currentLine, METRICS_VERSION } from "../../train/runs/metrics.ts";
import { RUN_VERSION } from "../../train/runs/run_info.ts";
import { readTextIfThere } from "../../train/runs/storage.ts";
import { parseJson } from "../../train/runs/versions.ts";
import type { Curve } from "./protocol.ts";
import { ViewerFault } from "./viewer_source.ts";

const text = z.string().nullish().catch(null);

const runJson = z.looseObject({
  schemaVersion: z.number(),
  kind: z.enum(["train", "evaluate"]).catch("train"),
  trainer: text,
  version: text,
  commit: text,
  seed: z.number().nullish().catch(null),
  dataset: z.looseObject({ name: text, fingerprint: text }).nullish().catch(
    null,
  ),
  startedAt: text,
  endedAt: text,
  outcome: text,
});

/** What `run.json` says, as far as the viewer cares. */
export type RunJson = z.infer<typeof runJson>;

/**
 * Reads `run.json`.
 * @throws {ViewerFault} If it is gone, damaged or of a newer version.
 */
export async function readRunJson(path: string): Promise<RunJson> {
  const file = join(path, "run.json");
  const content = await readTextIfThere(file);
  if (content === undefined) {
    throw new ViewerFault(
      "gone",
      `The run "${path}" is gone: "${file}" is not there any more; it was moved or deleted`,
    );
  }
  const result = runJson.safeParse(parseJson(content));
  if (!result.success) {
    throw new ViewerFault(
      "damaged",
      `"${file}" is damaged: it is not the record of a run; restore it from a copy`,
    );
  }
  checkVersion(result.data.schemaVersion, { known: RUN_VERSION, file });
  return result.data;
}

/** A line of metrics of any trainer. */
export type MetricsLine = Readonly<Record<string, unknown>> & {
  readonly step: number;
};

/** The lines of `metrics.jsonl` that can be read, and what is wrong with the others. */
export interface MetricsFile {
  readonly lines: readonly MetricsLine[];
  readonly error: string | null;
}

const metricsLine = z.looseObject({
  schemaVersion: z.number().default(METRICS_VERSION),
  step: z.number(),
});

/** Reads the metrics; the last line may be torn, as it is just being written. */
export async function readMetrics(path: string): Promise<MetricsFile> {
  const file = join(path, "metrics.jsonl");
  const content = await readTextIfThere(file) ?? "";
  const whole = content.slice(0, content.lastIndexOf("\n") + 1);
  const lines: MetricsLine[] = [];
  let error: string | null = null;
  for (const [i, raw] of whole.split("\n").entries()) {
    if (raw.trim() === "") continue;
    const line = metricsLine.safeParse(parseJson(raw)).data;
    if (line === undefined) {
      error ??= `${file}:${i + 1} is damaged: not a line of metrics`;
    } else if (line.schemaVersion > METRICS_VERSION) {
      error ??= `${file}:${
        i + 1
      } has version ${line.schemaVersion}, this taulab reads ${METRICS_VERSION}; use the taulab that wrote it`;
    } else lines.push(currentLine(line));
  }
  return { lines, error };
}

/** Every number of the lines as a curve, in the order in which they first come. */
export function curvesOf(lines: readonly MetricsLine[]): Curve[] {
  const curves = new Map<string, [number, number][]>();
  for (const line of lines) {
    const { schemaVersion: _, step, phase, split, decoding, ...more } = line;
    const { budget, controlStep, ...rest } = more;
    // A control has steps of its own beside those of the run.
    const at = typeof controlStep === "number" ? controlStep : step;
    const source = [phase, budget, split, decoding]
      .filter((part) => typeof part === "string").join("/") || "run";
    for (const [name, value] of numbersIn(rest)) {
      const key = `${source}.${name}`;
      const points = curves.get(key);
      if (points === undefined) curves.set(key, [[at, value]]);
      else points.push([at, value]);
    }
  }
  return [...curves].map(([key, points]) => ({ key, points }));
}

/** A split's pass^1 counts for more the less it was trained for. */
const PASS_SOURCES = [
  "eval/test/sampled",
  "eval/test/greedy",
  "eval/dev/sampled",
  "eval/dev/greedy",
] as const;

/** The last pass^1 of the split that counts most. */
export function lastPass(
  curves: readonly Curve[],
): { value: number; of: string; source: string } | null {
  for (const source of PASS_SOURCES) {
    const value = curves.find(({ key }) => key === `${source}.pass1`)
      ?.points.at(-1)?.[1];
    const of = source.slice("eval/".length).replace("/", ", ");
    if (value !== undefined) return { value, of, source };
  }
  return null;
}

function* numbersIn(
  value: unknown,
  path = "",
): Generator<[string, number]> {
  if (typeof value === "number" && Number.isFinite(value)) yield [path, value];
  else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      // pass^k counts from 1.
      const name = Array.isArray(value) ? String(Number(key) + 1) : key;
      yield* numbersIn(inner, path === "" ? name : `${path}.${name}`);
    }
  }
}

/** @throws {ViewerFault} If a file was written by a later taulab. */
function checkVersion(
  version: number,
  { known, file }: { known: number; file: string },
): void {
  if (version <= known) return;
  throw new ViewerFault(
    "newer",
    `"${file}" has version ${version}, this taulab reads version ${known}; view it by the taulab that wrote it`,
  );
}
