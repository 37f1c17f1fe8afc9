/**
 * Reads the `run.json` and `metrics.jsonl` of a run dir. Unknown keys are ignored and keys may be missing, so that runs
 * of any trainer can be shown.
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

/** The parts of `run.json` that the viewer uses. */
export type RunJson = z.infer<typeof runJson>;

/**
 * Reads `run.json`.
 * @throws {ViewerFault} If the file does not exist, is damaged or is from a newer version.
 */
export async function readRunJson(path: string): Promise<RunJson> {
  const file = join(path, "run.json");
  const content = await readTextIfThere(file);
  if (content === undefined) {
    throw new ViewerFault(
      "gone",
      `The run "${path}" is gone: "${file}" was moved or deleted`,
    );
  }
  const result = runJson.safeParse(parseJson(content));
  if (!result.success) {
    throw new ViewerFault(
      "damaged",
      `"${file}" is damaged: it is not the record of a run; restore it from a backup`,
    );
  }
  checkVersion(result.data.schemaVersion, { known: RUN_VERSION, file });
  return result.data;
}

/** A line of metrics that any trainer may have written. */
export type MetricsLine = Readonly<Record<string, unknown>> & {
  readonly step: number;
};

/** The lines of `metrics.jsonl` that can be read, and a description of the first line that cannot, if any. */
export interface MetricsFile {
  readonly lines: readonly MetricsLine[];
  readonly error: string | null;
}

const metricsLine = z.looseObject({
  schemaVersion: z.number().default(METRICS_VERSION),
  step: z.number(),
});

/** Reads the metrics. An incomplete last line is ignored, because its writer may not have finished it yet. */
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
      } has version ${line.schemaVersion}, but this version of taulab supports versions up to ${METRICS_VERSION}; use the version of taulab that wrote it`;
    } else lines.push(currentLine(line));
  }
  return { lines, error };
}

/** Returns a curve for each numeric metric in the lines, in order of first appearance. */
export function curvesOf(lines: readonly MetricsLine[]): Curve[] {
  const curves = new Map<string, [number, number][]>();
  for (const line of lines) {
    const { schemaVersion: _, step, phase, split, decoding, ...more } = line;
    const { budget, controlStep, ...rest } = more;
    // A control run counts its steps separately.
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

/** The evaluations from which a run's pass^1 may be taken, in order of preference. */
const PASS_SOURCES = [
  "eval/test/sampled",
  "eval/test/greedy",
  "eval/dev/sampled",
  "eval/dev/greedy",
] as const;

/** Returns the last pass^1 of the preferred evaluation, or `null` if the curves contain no evaluation. */
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
      // The k of pass^k starts at 1.
      const name = Array.isArray(value) ? String(Number(key) + 1) : key;
      yield* numbersIn(inner, path === "" ? name : `${path}.${name}`);
    }
  }
}

/**
 * Checks that the version of a file is supported.
 * @throws {ViewerFault} If the file was written by a newer version of taulab.
 */
function checkVersion(
  version: number,
  { known, file }: { known: number; file: string },
): void {
  if (version <= known) return;
  throw new ViewerFault(
    "newer",
    `"${file}" has version ${version}, but this version of taulab supports versions up to ${known}; view it with the version of taulab that wrote it`,
  );
}
