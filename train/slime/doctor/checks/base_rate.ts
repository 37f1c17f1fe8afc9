/**
 * What the model solves before it trains: where that is nothing, or all, no group of episodes differs in its
 * rewards, and a filter that wants differences samples for ever.
 */

import { asksModel } from "../../../../env/users/registry.ts";
import { basename } from "node:path";
import { ConfigError, RunDirError } from "../../../../env/errors.ts";
import { latestRun, readStore } from "../../../runs/run_reader.ts";
import type { EvaluationConfig } from "../../../evaluation/evaluation_config.ts";
import { readEvaluation } from "../../../evaluation/evaluation_dir.ts";
import type { SlimeConfig } from "../../slime_schema.ts";
import { type Check, fail, type Observed, pass, warn } from "../check.ts";

/** The check `base-rate`. */
export const check: Check = {
  id: "base-rate",
  order: 190,
  title:
    "the model solves some tasks and not all before it trains, so that groups differ",
  async run({ config, runs, baseRun }) {
    const path = baseRun === null
      ? await latestOf(config, runs)
      : await checked(baseRun, config);
    return [path === null ? unmeasured(config) : judge(path, config)];
  },
};

/** Fewer scored episodes do not tell 0 from little. */
const ENOUGH = 30;

/** With less of its groups kept, a rollout samples five times what it trains on. */
const LITTLE = 0.2;

function unmeasured(config: SlimeConfig): Observed {
  return warn(
    `nobody has measured what ${config.model.name} solves before it trains`,
    `measure it, with the model behind an SGLang server: ${measure(config)}`,
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

/** The evaluation that began last of this model, by this agent, in this world. */
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
      if (!isOther) throw error; // of another version
      return false;
    }
  });
  return latest ?? null;
}

/** @throws {ConfigError} If it is not an evaluation of this model in this world. */
async function checked(path: string, config: SlimeConfig): Promise<string> {
  const difference = differenceOf((await readEvaluation(path)).config, config);
  if (difference === null) return path;
  throw new ConfigError(
    `"${path}" is not an evaluation of the recipe's model: ${difference}`,
    { hint: "name another by --base" },
  );
}

/** Why an evaluation says nothing of what is to train. */
function differenceOf(
  { model, policy, data, agent }: EvaluationConfig,
  config: SlimeConfig,
): string | null {
  const names = [model.model, model.tokenizer].flatMap((name) =>
    name === null ? [] : [basename(name).toLowerCase()]
  );
  if (policy !== null || !names.includes(config.model.name.toLowerCase())) {
    return `its model is ${policy ?? model.model}`;
  }
  if (data.source !== config.data.source) return `its data are ${data.source}`;
  if (data.domain !== config.data.domain) return `its world is ${data.domain}`;
  return agent === config.agent ? null : `its agent is ${agent}`;
}

function judge(path: string, config: SlimeConfig): Observed {
  const { solved, scored } = countOf(path);
  const found =
    `${config.model.name} solves ${solved} of ${scored} episodes in ${path}`;
  const again = `measure more: ${measure(config)}`;
  if (scored === 0) return warn(`${found}: none is scored`, again);
  if (solved === 0 || solved === scored) {
    if (scored < ENOUGH) {
      return warn(`${found}, which are too few to tell`, again);
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
    ? "begin with a model that solves some: a larger one, or one that has learnt from demonstrations"
    : "there is nothing to learn here: take harder tasks, or another world";
  return endsByItself(config)
    ? warn(`${found}: no group would have a say in training`, way)
    : fail(
      `${found}: no group's rewards would differ, and ${config.rollout.filter} samples until some do`,
      way,
    );
}

/** Without a filter every group is taken; with a fallback those that do not differ are taken in the end. */
function endsByItself({ rollout }: SlimeConfig): boolean {
  const { filter, filterRounds } = rollout;
  if (filter === "generate.keep_group") return filterRounds !== null;
  return filter === null || filter.endsWith("_with_fallback");
}

/**
 * Tasks differ, and a mean over all of them hides those that are always or never solved: the share that is kept
 * is at most that of tasks which are all like the mean.
 */
function judgeShare(
  found: string,
  { rate, config }: { rate: number; config: SlimeConfig },
): Observed {
  const { groupSize, batchSize } = config.rollout;
  const kept = 1 - rate ** groupSize - (1 - rate) ** groupSize;
  const groups = Math.ceil(batchSize / kept);
  const detail = `${found}: at most ${
    Math.round(kept * 100)
  }% of groups of ${groupSize} differ in their rewards`;
  const { filter, filterRounds } = config.rollout;
  if (filter === "generate.keep_group" && filterRounds !== null) {
    const share = kept * (filterRounds + 1);
    return share >= 1 / 2 ? pass(detail) : warn(
      `${detail}, so most of the ${batchSize} groups of a rollout would teach nothing (rollout.filterRounds ${filterRounds})`,
      "raise rollout.groupSize or rollout.filterRounds, begin with a better model, or train on tasks that it solves sometimes",
    );
  }
  if (kept >= LITTLE || endsByItself(config)) return pass(detail);
  return warn(
    `${detail}, so a rollout samples ${groups} groups or more for ${batchSize}`,
    "raise rollout.groupSize, begin with a better model, or train on tasks that it solves sometimes",
  );
}
