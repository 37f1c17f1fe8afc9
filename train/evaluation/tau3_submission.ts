/**
 * Exports an evaluation as a submission to τ³-bench's leaderboard, and lists the differences that prevent a comparison
 * of its scores with the leaderboard.
 * @see sierra-research/tau2-bench, src/tau2/scripts/leaderboard/submission.py.
 */

import type { Dataset } from "../../env/types.ts";
import type { EvaluationConfig } from "./evaluation_config.ts";
import type { EvaluationDir } from "./evaluation_dir.ts";
import type { EvaluationReport } from "./evaluation_report.ts";

/** The settings shared by all scores on the leaderboard. */
const STANDARD = {
  split: "base",
  trials: 4,
  user: "gpt-4.1-2025-04-14",
  judge: "gpt-4.1-2025-04-14",
  maxSteps: 200,
} as const;

/** Returns the reasons why an evaluation's scores cannot be compared with the leaderboard; empty if they can. */
export function incomparable(
  config: EvaluationConfig,
  { dataset, report }: {
    readonly dataset: Pick<Dataset, "rules">;
    readonly report: Pick<EvaluationReport, "scored" | "planned" | "failures">;
  },
): string[] {
  const { data, user, judge, rollout } = config;
  const reasons: string[] = [];
  if (dataset.rules === undefined) {
    reasons.push("its data is from another benchmark");
  }
  if (config.split !== STANDARD.split) {
    reasons.push(`its split is ${config.split}, not ${STANDARD.split}`);
  }
  if (config.tasks !== null || config.data.exclude !== null) {
    reasons.push("it excludes tasks");
  }
  if (config.trials !== STANDARD.trials) {
    reasons.push(
      `its number of trials is ${config.trials}, not ${STANDARD.trials}`,
    );
  }
  if (data.policyType !== "manual") {
    reasons.push(`its policy type is ${data.policyType}, not manual`);
  }
  if (data.solo) reasons.push("its agent works without a user");
  else if (user.strategy !== "llm") {
    reasons.push(`its user's strategy is ${user.strategy}, not llm`);
  } else if (user.endpoint.model !== STANDARD.user) {
    reasons.push(
      `its user's model is ${user.endpoint.model}, not ${STANDARD.user}`,
    );
  }
  if ((user.endpoint.temperature ?? 0) !== 0) {
    reasons.push(
      `its user's temperature is ${user.endpoint.temperature}, not 0`,
    );
  }
  if (rollout.maxTurns < STANDARD.maxSteps) {
    reasons.push(
      `its conversations end after ${rollout.maxTurns} turns, not ${STANDARD.maxSteps} steps`,
    );
  }
  if (
    judge.endpoint.model !== null && judge.endpoint.model !== STANDARD.judge
  ) {
    reasons.push(
      `its judge is ${judge.endpoint.model}, not ${STANDARD.judge}`,
    );
  }
  const unjudged = report.failures["environment not_judged"] ?? 0;
  if (unjudged > 0) {
    const were = unjudged === 1 ? "was" : "were";
    reasons.push(`${unjudged} of its episodes ${were} not judged`);
  }
  const missing = report.planned - report.scored - unjudged;
  if (missing > 0) {
    const were = missing === 1 ? "was" : "were";
    reasons.push(`${missing} of its episodes failed or ${were} not run`);
  }
  return reasons;
}

/** Returns the text of `submission.json`. The submitter's details are left empty. */
export function tau3Submission(
  { config, info }: Pick<EvaluationDir, "config" | "info">,
  report: EvaluationReport,
): string {
  const day = info.startedAt.slice(0, 10);
  const { agent, user } = report.usage;
  const cost = agent.cost === null || user.cost === null
    ? null
    : (agent.cost + user.cost) / Math.max(1, report.scored);
  const passes = Object.fromEntries(
    report.passK.map(({ value }, i) => [`pass_${i + 1}`, 100 * value]),
  );
  const domain = config.data.domain.split(".").at(-1) ?? "";
  const submission = {
    model_name: config.policy ?? config.model.model,
    organization: "",
    submission_date: day,
    contact_info: { email: "", name: null, github: null },
    results: { [domain]: { ...passes, cost } },
    is_new: true,
    methodology: {
      evaluation_date: day,
      tau2_bench_version: null,
      user_simulator: config.user.endpoint.model,
      notes: `Evaluated by taulab, agent ${config.agent}`,
    },
  };
  return `${JSON.stringify(submission, null, 2)}\n`;
}
