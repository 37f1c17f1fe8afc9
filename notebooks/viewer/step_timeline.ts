/**
 * Builds the timeline of a training step from its metrics and episodes. It contains the phases of the step and what
 * each episode waited for.
 */

import {
  type EpisodeSpan,
  type SpanKind,
  unpackSpans,
} from "../../env/episode_spans.ts";
import type {
  EpisodeStore,
  StoredEpisode,
} from "../../train/runs/episode_store.ts";
import type {
  StepTimeline,
  TimelineEpisode,
  TimelineSpan,
} from "./protocol.ts";
import type { MetricsLine } from "./run_files.ts";
import { ViewerFault } from "./viewer_source.ts";

/** The maximum number of episodes in a timeline. The longest episodes are kept. */
const MAX_EPISODES = 400;

/** The sources of steps with timelines, in order of preference. */
const SOURCES = ["rl", "slime", "rft"];

/**
 * Builds the timeline of a step.
 * @param options.step The step. Default: the last step of the training source or, if there is none, of the evaluation.
 * @throws {ViewerFault} If the run has no such step, or no episodes yet.
 */
export function stepTimeline(
  store: EpisodeStore,
  { lines, step }: {
    readonly lines: readonly MetricsLine[];
    readonly step?: number | undefined;
  },
): StepTimeline {
  const counts = store.counts();
  const source = SOURCES.find((one) => counts.some((c) => c.source === one)) ??
    counts[0]?.source;
  const steps = counts.filter((one) => one.source === source)
    .map((one) => one.step).sort((a, b) => a - b);
  const asked = step ?? steps.at(-1);
  if (source === undefined || asked === undefined || !steps.includes(asked)) {
    throw new ViewerFault(
      "unknown",
      steps.length === 0
        ? "The run has no episodes yet"
        : `The run has no step ${step} of the source "${source}", only ${
          steps.length === 1
            ? `step ${steps[0]}`
            : `${steps.length} steps from ${steps[0]} to ${steps.at(-1)}`
        }`,
    );
  }
  const all = store.readable({ source, step: asked }).episodes;
  const startMs = Math.min(...all.map((one) => one.startedAtMs));
  const isNoted = all.some(({ spans }) => spans !== null);
  const kept = all.toSorted((a, b) => b.durationMs - a.durationMs)
    .slice(0, MAX_EPISODES);
  return {
    step: asked,
    source,
    steps,
    phases: phasesOf(lines, asked),
    episodes: kept.map((one) => episodeOf(one, startMs))
      .sort((a, b) => a.startMs - b.startMs || a.id - b.id),
    leftOut: all.length - kept.length,
    waited: isNoted ? waitedFor(all) : null,
  };
}

/**
 * Returns the consecutive phases of a step. The CPU trainer records the time for saving a step in the next line of
 * metrics.
 */
function phasesOf(
  lines: readonly MetricsLine[],
  step: number,
): TimelineSpan<string>[] {
  const at = lines.findIndex((line) =>
    line.step === step && (line["phase"] === "rl" || line["phase"] === "rft")
  );
  if (at < 0) return [];
  const line = lines[at]!;
  const isSlime = "slime" in line;
  const { rollout, update } = secondsOf(line);
  const { save } = secondsOf(isSlime ? line : lines[at + 1]);
  let startMs = 0;
  return Object.entries({ rollout, update, save }).flatMap(
    ([kind, seconds]) => {
      if (seconds === undefined) return [];
      const span = { kind, startMs, ms: 1000 * seconds };
      startMs += span.ms;
      return [span];
    },
  );
}

function secondsOf(
  line: MetricsLine | undefined,
): Readonly<Record<string, number | undefined>> {
  const timing = line?.["timing"] as
    | { seconds?: Readonly<Record<string, number>> }
    | undefined;
  return timing?.seconds ?? {};
}

function episodeOf(one: StoredEpisode, startMs: number): TimelineEpisode {
  let atMs = one.startedAtMs - startMs;
  const spans = unpackSpans(one.spans ?? "").map(({ kind, ms }) => {
    const span = { kind, startMs: atMs, ms };
    atMs += ms;
    return span;
  });
  return {
    id: one.id,
    task: one.taskId,
    reward: one.reward,
    failure: one.failureKind,
    startMs: one.startedAtMs - startMs,
    ms: one.durationMs,
    spans,
  };
}

function waitedFor(
  all: readonly StoredEpisode[],
): Record<SpanKind, number> {
  const sums = { model: 0, user: 0, environment: 0, retries: 0 };
  const spans = all.flatMap(({ spans }): EpisodeSpan[] =>
    unpackSpans(spans ?? "")
  );
  for (const { kind, ms } of spans) sums[kind] += ms;
  return sums;
}
