/** The failed episodes of a run, each replayed to find what decided it; and what a judge says of them. */

import { diagnose, type Diagnosis } from "../../env/diagnosis/diagnose.ts";
import { DataError, InfrastructureError } from "../../env/errors.ts";
import { createPool } from "../../env/pool.ts";
import type { ChatModel } from "../../env/types.ts";
import type { RunEpisodes } from "../runs/run_episodes.ts";
import type { DiagnosableEpisode, Diagnosed } from "./diagnosis_report.ts";
import { judge } from "./judge.ts";

/** Settings of both. */
interface WorkOptions {
  /** What is done by then is what is returned. */
  readonly signal?: AbortSignal;
  /** Called after each episode. */
  readonly onEpisode?: () => void;
}

/** Diagnoses an episode of a run by what the run recorded. */
export function diagnoseEpisode(
  { dataset }: Pick<RunEpisodes, "dataset">,
  episode: DiagnosableEpisode,
): Diagnosis {
  const { record, task, stopReason } = episode;
  const { failure, findings, rewardDetail: reward = null } = record;
  return diagnose({ turns: episode.turns(), stopReason, reward }, {
    dataset,
    task,
    failure,
    findings,
  });
}

/** Diagnoses those of some episodes that earned less than 1. One whose record is damaged costs itself. */
export function diagnoseFailed<E extends DiagnosableEpisode>(
  run: Pick<RunEpisodes, "dataset">,
  episodes: readonly E[],
  { signal, onEpisode, onDamaged }: WorkOptions & {
    /** Called with an episode that cannot be read, and why. Default: it throws. */
    readonly onDamaged?: (episode: E, why: string) => void;
  } = {},
): Diagnosed<E>[] {
  const all: Diagnosed<E>[] = [];
  for (const episode of failedOf(episodes)) {
    if (signal?.aborted) break;
    try {
      all.push({ episode, diagnosis: diagnoseEpisode(run, episode) });
    } catch (error) {
      if (!(error instanceof DataError) || onDamaged === undefined) throw error;
      onDamaged(episode, error.message);
    }
    onEpisode?.();
  }
  return all;
}

/** The episodes that earned less than 1, or were not scored. */
export function failedOf<E extends Pick<DiagnosableEpisode, "record">>(
  episodes: readonly E[],
): E[] {
  return episodes.filter(({ record }) => record.reward !== 1);
}

/**
 * Asks a judge about each episode, but for those that infrastructure broke.
 * @returns In the order given; without a verdict where the signal was aborted first.
 */
export async function judgeAll(
  diagnosed: readonly Diagnosed[],
  { model, concurrency, signal, onEpisode }: WorkOptions & {
    readonly model: ChatModel;
    /** Episodes that are judged at once. */
    readonly concurrency: number;
  },
): Promise<Diagnosed[]> {
  const pool = createPool(concurrency);
  return await Promise.all(diagnosed.map((one) =>
    pool(async () => {
      if (signal?.aborted) return one;
      const verdict = await judged(one, model, signal);
      onEpisode?.();
      return verdict;
    })
  ));
}

/** A judge that cannot be reached says nothing of this episode. */
async function judged(
  one: Diagnosed,
  model: ChatModel,
  signal: AbortSignal | undefined,
): Promise<Diagnosed> {
  const { episode, diagnosis } = one;
  if (diagnosis.fault?.by === "infrastructure") return one;
  const turns = episode.turns();
  try {
    const verdict = await judge(
      model,
      { task: episode.task, turns, diagnosis },
      { signal },
    );
    return { ...one, verdict };
  } catch (error) {
    if (!(error instanceof InfrastructureError)) throw error;
    return { ...one, verdict: null };
  }
}
