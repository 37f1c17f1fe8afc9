/** Shows the first decisive error of each failed episode of a run. */

import type { Episode, Message } from "../../env/types.ts";
import { diagnoseEpisode } from "../../train/diagnosis/diagnose_run.ts";
import {
  type Diagnosed,
  diagnosisReport,
} from "../../train/diagnosis/diagnosis_report.ts";
import type { RunEpisode } from "../../train/runs/run_episodes.ts";
import {
  decisiveWords,
  showDiagnosis,
  showReward,
  showTurns,
} from "./display.ts";
import { type Rich, stack, titled } from "./rich.ts";
import { reasonOf } from "./rewards.ts";
import type { Run } from "./run.ts";
import { table } from "./table.ts";

/**
 * Shows a table of episodes, each with its intent, its first decisive error, and who is at fault. The table has at most
 * `limit` rows.
 */
export function showDiagnosed(
  diagnosed: readonly Diagnosed<RunEpisode>[],
  { limit = 20 }: { readonly limit?: number } = {},
): Rich {
  return table(
    diagnosed.map(({ episode, diagnosis: { decisive, fault } }) => ({
      id: String(episode.record.id),
      step: String(episode.record.step),
      task: episode.task.id,
      intent: episode.task.intent ?? null,
      reason: reasonOf(episode),
      "first decisive error": decisive === null
        ? null
        : decisiveWords(decisive),
      fault: fault === null ? null : `${fault.by}: ${fault.rule}`,
    })),
    { limit },
  );
}

/**
 * Shows how often each kind of error was the first decisive error, and how often each rule determined who was at fault.
 */
export function showDecisiveCounts(diagnosed: readonly Diagnosed[]): Rich {
  const { decisive, rules } = diagnosisReport(diagnosed);
  return stack(
    titled(
      "what decided",
      table(decisive.map(([kind, episodes]) => ({ kind, episodes }))),
    ),
    titled(
      "fault, by rule",
      table(rules.map(([rule, episodes]) => ({ rule, episodes }))),
    ),
  );
}

/**
 * Shows an episode of a run with its reward, the reasons for the reward, its diagnosis and its conversation. If the
 * first decisive error is a write, its turn is outlined.
 */
export function showRunEpisode(run: Run, episode: RunEpisode): Rich {
  const { record } = episode;
  const diagnosis = diagnoseEpisode(run, episode);
  const { decisive } = diagnosis;
  const [first] = openingOf(episode);
  return stack(
    titled(
      `episode ${record.id}, step ${record.step}, ${record.taskId}: ${record.stopReason}`,
      showReward(diagnosis.reward),
    ),
    showDiagnosis(diagnosis),
    showTurns(episode.turns(), {
      ...(first === undefined ? {} : { firstMessage: first.content }),
      ...(decisive?.kind === "write" ? { marked: decisive.turn } : {}),
    }),
  );
}

function openingOf(episode: RunEpisode): Episode["messages"] {
  const messages = JSON.parse(episode.messages()) as Message[];
  return messages.filter(({ role }) => role === "user").slice(0, 1);
}
