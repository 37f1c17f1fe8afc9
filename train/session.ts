/** One sitting of a run: from an open run dir to its outcome. */

import { resourceUsage } from "node:process";
import type { Dataset } from "../env/types.ts";
import { type CpuLab, createCpuLab } from "./cpu/cpu_lab.ts";
import { curvePoints, curveSvg } from "./runs/run_figure.ts";
import { train, type TrainOptions } from "./loop.ts";
import type { RunDir } from "./runs/run_dir.ts";
import { readRunTokenizer, TOKENIZER } from "./cpu/run_tokenizer.ts";
import { summarize, type Summary } from "./runs/summary.ts";
import type { Customers } from "./users.ts";

/** Settings of {@linkcode runSession}. */
export interface SessionOptions extends
  Pick<
    TrainOptions,
    "signal" | "halt" | "reward" | "onLine" | "onActivity"
  > {
  readonly run: RunDir;
  readonly dataset: Dataset;
  /** Called once the expert has shown what it can and the policy is made. */
  readonly onLab?: (lab: CpuLab) => void;
  /** Whom the policy serves while it learns. Default: the scripted customers. */
  readonly customers?: Customers;
}

/** How a sitting ended. */
export interface SessionResult extends Summary {
  readonly outcome: "completed" | "interrupted";
  /** Seconds that the run took, over all its sittings that ended in order. */
  readonly wallS: number;
  /** The most memory that a sitting held. */
  readonly peakRssBytes: number;
}

/**
 * Trains to the end or to an abort; notes the outcome in `run.json`, also of a failure, and draws the curve.
 * @throws What {@linkcode train} throws.
 */
export async function runSession(
  options: SessionOptions,
): Promise<SessionResult> {
  const { run } = options;
  await run.begin(new Date());
  try {
    const isComplete = await trainInLab(options);
    const summary = summarize(run.metrics, run.config.coldStart.steps);
    const outcome = isComplete ? "completed" : "interrupted";
    await drawCurve(run);
    await run.end({ outcome, ...usage(), result: { ...summary } });
    return { ...summary, outcome, ...totals(run) };
  } catch (error) {
    // What broke is what the person shall read, even if the disk takes no more notes.
    await run.end({ outcome: "failed", ...usage() }).catch(() => {});
    throw error;
  }
}

async function trainInLab(options: SessionOptions): Promise<boolean> {
  const { run, dataset, customers } = options;
  const tokenizer = await readRunTokenizer(run.path, {
    wayOut: "remove it and resume: the same one is trained again",
  });
  await using lab = await createCpuLab({
    config: run.config,
    dataset,
    ...(customers ? { customers } : {}),
    ...(tokenizer ? { tokenizer } : {}),
  });
  if (!tokenizer) await run.writeText(TOKENIZER, JSON.stringify(lab.tokenizer));
  options.onLab?.(lab);
  return await train({ ...options, lab });
}

async function drawCurve(run: RunDir): Promise<void> {
  const points = curvePoints(run.metrics);
  if (points.length === 0) return;
  await run.writeText(
    "curve.svg",
    await curveSvg(points, `reward, pass^1 (${run.name})`),
  );
}

/** What the sitting took so far: since the process began, so that loading is counted too. */
function usage() {
  return {
    now: new Date(),
    wallS: performance.now() / 1000,
    peakRssBytes: peakRssBytes(),
  };
}

function totals(run: RunDir): { wallS: number; peakRssBytes: number } {
  const { sessions } = run.info;
  return {
    wallS: sessions.reduce((sum, { wallS }) => sum + (wallS ?? 0), 0),
    peakRssBytes: Math.max(
      0,
      ...sessions.map(({ peakRssBytes }) => peakRssBytes ?? 0),
    ),
  };
}

/** The most memory that this process held at once. */
export function peakRssBytes(): number {
  const peak = resourceUsage().maxRSS * 1024;
  return Math.max(peak, Deno.memoryUsage().rss);
}
