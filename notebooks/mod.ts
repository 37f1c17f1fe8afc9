/**
 * Creates output for notebooks: figures, tables, conversations and runs, each as HTML and as text.
 *
 * ```ts
 * import { match } from "node:assert/strict";
 * import { table } from "./mod.ts";
 *
 * match(table([{ task: "a", reward: 1 }]).text, /^task +reward$/m);
 * ```
 *
 * @module
 */

// Showing values in a cell's output.
export { Live, show } from "./lib/show.ts";
export { stack } from "./lib/rich.ts";
export { table } from "./lib/table.ts";
export { figure, Plot } from "./lib/figure.ts";

// Interactive conversations.
export { Conversation } from "./lib/step_conversation.ts";
export {
  callText,
  showDiagnosis,
  showEpisode,
  showTask,
  showTurns,
} from "./lib/display.ts";
export { meanTokenCounts, showTokens } from "./lib/tokens.ts";

// Runs: curves, rewards, groups, first decisive errors, comparison of two runs.
export { Run } from "./lib/run.ts";
export {
  curveFigure,
  curvesFigure,
  groupsFigure,
  lossFigure,
  passFigure,
  pointsFigure,
  rewardFigure,
  sharesFigure,
  tokensFigure,
  varianceFigure,
} from "./lib/charts.ts";
export {
  groupsOf,
  passOf,
  reasonCounts,
  rewardBy,
  stepRanges,
  waysToEnd,
} from "./lib/rewards.ts";
export { diagnoseFailed } from "../train/diagnosis/diagnose_run.ts";
export {
  showDecisiveCounts,
  showDiagnosed,
  showRunEpisode,
} from "./lib/decisive_errors.ts";
export { attemptsText, differenceText, groupsText } from "./lib/run_words.ts";
export { pairedDifference, showConfigDifference } from "./lib/compare_runs.ts";

// Tasks and plans.
export {
  coverageFigure,
  showAudit,
  showCertificate,
} from "./lib/show_tasks.ts";
export {
  memoryFigure,
  showCommand,
  showDerived,
  showFlags,
} from "./lib/show_plan.ts";
