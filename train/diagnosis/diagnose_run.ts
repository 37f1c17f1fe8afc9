/** Diagnoses a run's failed episodes: replays each one to find the decisive error, and optionally asks a judge. */

import { diagnose, type Diagnosis } from "../../env/diagnosis/diagnose.ts";
import { DataError, InfrastructureError } from "../../env/errors.ts";
import { createPool } from "../../env/pool.ts";
import type { ChatModel } from "../../env/types.ts";
import type { RunEpisodes } from "../runs/run_episodes.ts";
import type { DiagnosableEpisode, Diagnosed } from "./diagnosis_report.ts";
import { judge } from "./judge.ts";

/** Options that the diagnosis and the judge share. */
interface WorkOptions {
  /** Aborting this signal ends the work early; the results so far are returned. */
  readonly signal?: AbortSignal;
  /** Called after each episode. */
  readonly onEpisode?: () => void;
}

/** Diagnoses an episode of a run from its record. */
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

/**
 * Diagnoses the episodes that earned less than 1 or were not scored. An episode with a damaged record is skipped if
 * `onDamaged` is given.
 */
export function diagnoseFailed<E extends DiagnosableEpisode>(
  run: Pick<RunEpisodes, "dataset">,
  episodes: readonly E[],
  { signal, onEpisode, onDamaged }: WorkOptions & {
    /** Called with an unreadable episode and the reason. Default: an error is thrown. */
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

/** Returns the episodes that earned less than 1 or were not scored. */
export function failedOf<E extends Pick<DiagnosableEpisode, "record">>(
  episodes: readonly E[],
): E[] {
  return episodes.filter(({ record }) => record.reward !== 1);
}

/**
 * Asks a judge about each episode that did not fail because of infrastructure.
 * @returns The episodes in the given order. An episode has no verdict if it failed because of infrastructure, or if the
 * signal was aborted before the judge was asked about it.
 */
export async function judgeAll(
  diagnosed: readonly Diagnosed[],
  { model, concurrency, signal, onEpisode }: WorkOptions & {
    readonly model: ChatModel;
    /** The number of concurrent requests to the judge. */
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

/**
 * Returns the episode with the judge's verdict, which is `null` if the judge cannot be reached or understood. An
 * episode that failed because of infrastructure is returned unchanged.
 */
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
