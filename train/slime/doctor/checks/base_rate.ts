/**
 * Checks how many tasks the base model solves. If it solves none or all of them, the rewards within each group are
 * equal, and a filter that requires differing rewards samples forever.
 */

import { asksModel } from "../../../../env/users/registry.ts";
import { basename } from "node:path";
import { ConfigError, RunDirError } from "../../../../env/errors.ts";
import { latestRun, readStore } from "../../../runs/run_reader.ts";
import type { EvaluationConfig } from "../../../evaluation/evaluation_config.ts";
import { readEvaluation } from "../../../evaluation/evaluation_dir.ts";
import type { SlimeConfig } from "../../slime_schema.ts";
import { type Check, fail, type Observed, pass, warn } from "../check.ts";

/** The `base-rate` check. */
export const check: Check = {
  id: "base-rate",
  order: 190,
  title:
    "the base model solves some but not all tasks, so that rewards differ within groups",
  async run({ config, runs, baseRun }) {
    const path = baseRun === null
      ? await latestOf(config, runs)
      : await checked(baseRun, config);
    return [path === null ? unmeasured(config) : judge(path, config)];
  },
};

/** The minimum number of scored episodes. With fewer episodes, a solve rate of 0 or 1 may be a coincidence. */
const ENOUGH = 30;

/**
 * The check warns if the filter keeps a smaller share of groups than this. A rollout then samples more than five times
 * as many groups as it trains on.
 */
const LITTLE = 0.2;

function unmeasured(config: SlimeConfig): Observed {
  return warn(
    `the solve rate of ${config.model.name} before training has not been measured`,
    `serve the model with SGLang, and measure the rate: ${measure(config)}`,
  );
}

function measure({ data, agent, user, model }: SlimeConfig): string {
  return [
    `deno task evaluate --data ${data.source} --env ${data.domain} --split train`,
    `--agent ${agent} --model ${model.name} --provider sglang`,
    `--user ${user.strategy}`,
    ...(!asksModel(user.strategy) || user.endpoint.model === null ? [] : [
      `--user-provider ${user.endpoint.provider} --user-model ${user.endpoint.model}`,
    ]),
  ].join(" ");
}

/** Returns the path of the latest evaluation that matches the recipe; `null` if there is none. */
async function latestOf(
  config: SlimeConfig,
  runs: string,
): Promise<string | null> {
  const latest = await latestRun(runs, async ({ kind }, path) => {
    if (kind !== "evaluate") return false;
    try {
      const { config: evaluated } = await readEvaluation(path);
      return differenceOf(evaluated, config) === null;
    } catch (error) {
      const isOther = error instanceof ConfigError ||
        error instanceof RunDirError;
      if (!isOther) throw error; // written by another version
      return false;
    }
  });
  return latest ?? null;
}

/**
 * Checks an evaluation that the user named, and returns its path.
 * @throws {ConfigError} If its model, agent, dataset or domain differs from the recipe's.
 */
async function checked(path: string, config: SlimeConfig): Promise<string> {
  const difference = differenceOf((await readEvaluation(path)).config, config);
  if (difference === null) return path;
  throw new ConfigError(
    `The evaluation "${path}" does not match the recipe: ${difference}`,
    { hint: "pass another evaluation with --base" },
  );
}

/** Returns a description of how an evaluation differs from the training run; `null` if it does not. */
function differenceOf(
  { model, policy, data, agent }: EvaluationConfig,
  config: SlimeConfig,
): string | null {
  const names = [model.model, model.tokenizer].flatMap((name) =>
    name === null ? [] : [basename(name).toLowerCase()]
  );
  if (policy !== null || !names.includes(config.model.name.toLowerCase())) {
    return policy === null
      ? `its model is ${model.model ?? "not set"}`
      : `it evaluates the policy of ${policy}`;
  }
  if (data.source !== config.data.source) {
    return `its dataset is ${data.source}`;
  }
  if (data.domain !== config.data.domain) return `its domain is ${data.domain}`;
  return agent === config.agent ? null : `its agent is ${agent}`;
}

function judge(path: string, config: SlimeConfig): Observed {
  const { solved, scored } = countOf(path);
  const found =
    `${config.model.name} solves ${solved} of ${scored} episodes in ${path}`;
  const again = `evaluate more episodes: ${measure(config)}`;
  if (scored === 0) return warn(`${found}: no episode was scored`, again);
  if (solved === 0 || solved === scored) {
    if (scored < ENOUGH) {
      return warn(`${found}, too few to judge the solve rate`, again);
    }
    return hopeless(found, { isNone: solved === 0, config });
  }
  return judgeShare(found, { rate: solved / scored, config });
}

function countOf(path: string): { solved: number; scored: number } {
  using store = readStore(path);
  const rewards = store.readable().episodes.flatMap(({ reward }) =>
    reward ?? []
  );
  return {
    solved: rewards.filter((reward) => reward === 1).length,
    scored: rewards.length,
  };
}

function hopeless(
  found: string,
  { isNone, config }: { isNone: boolean; config: SlimeConfig },
): Observed {
  const way = isNone
    ? "start with a model that solves some tasks, such as a larger model or a model trained on demonstrations"
    : "use harder tasks or another domain";
  return alwaysEnds(config)
    ? warn(`${found}: no group would contribute to training`, way)
    : fail(
      `${found}: rewards would not differ in any group, so with rollout.filter ${config.rollout.filter} a rollout would never end`,
      way,
    );
}

/**
 * Checks whether sampling ends even if no group's rewards differ. It does if there is no filter, or if the filter keeps
 * groups with equal rewards after a limited number of attempts.
 */
function alwaysEnds({ rollout }: SlimeConfig): boolean {
  const { filter, filterRounds } = rollout;
  if (filter === "generate.keep_group") return filterRounds !== null;
  return filter === null || filter.endsWith("_with_fallback");
}

/**
 * Judges the estimated share of groups that the filter keeps. The estimate is an upper bound, because a mean solve rate
 * hides tasks that are always or never solved.
 */
function judgeShare(
  found: string,
  { rate, config }: { rate: number; config: SlimeConfig },
): Observed {
  const { groupSize, batchSize } = config.rollout;
  const kept = 1 - rate ** groupSize - (1 - rate) ** groupSize;
  const groups = Math.ceil(batchSize / kept);
  const other = rate > 1 / 2 ? "use harder tasks" : "start with a better model";
  const detail = `${found}: at most ${
    Math.round(kept * 100)
  }% of groups of ${groupSize} have differing rewards`;
  const { filter, filterRounds } = config.rollout;
  if (filter === "generate.keep_group" && filterRounds !== null) {
    const share = kept * (filterRounds + 1);
    return share >= 1 / 2 ? pass(detail) : warn(
      `${detail}, so most of the ${batchSize} groups of a rollout would contribute nothing (rollout.filterRounds ${filterRounds})`,
      `raise rollout.groupSize or rollout.filterRounds, or ${other}`,
    );
  }
  if (kept >= LITTLE || alwaysEnds(config)) return pass(detail);
  return warn(
    `${detail}, so a rollout samples at least ${groups} groups to keep ${batchSize}`,
    `raise rollout.groupSize, or ${other}`,
  );
}
