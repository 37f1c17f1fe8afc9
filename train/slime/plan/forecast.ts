/**
 * Forecasts the load of a slime run on the user's model: calls, tokens and dollars, and the duration of sampling. The
 * forecast is based on the episodes of an earlier run or, without one, on documented assumptions.
 */

import { asksModel, callsPerMessage } from "../../../env/users/registry.ts";
import type { Usage } from "../../../env/types.ts";
import { evaluationCount } from "./async_mode.ts";
import type { ResolvedSlime } from "../slime_config.ts";
import type { SlimeConfig } from "../slime_schema.ts";

/** The calls to the user's model and their tokens, per episode. */
export type EpisodeCalls = Pick<
  Usage,
  "calls" | "promptTokens" | "cachedTokens" | "completionTokens"
>;

/** Mean values per episode, either measured or assumed. */
export interface EpisodeRates {
  /** The path of the measured run; `null` if the rates are assumed. */
  readonly measuredOn: string | null;
  readonly episodes: number;
  /** The number of actions of the policy. */
  readonly turns: number;
  /** The number of tokens in the policy's context at the end of an episode, including the prompt. */
  readonly tokens: number;
  /** The number of tokens in the prompt, which contains the domain's policy text and the tools. */
  readonly promptTokens: number;
  /** The duration of an episode in seconds. */
  readonly seconds: number;
  /** The usage of the user's model; `null` if no model plays the user, or none did in the measured run. */
  readonly user: EpisodeCalls | null;
}

/** The total load of several episodes. */
export interface Load {
  readonly episodes: number;
  readonly tokens: number;
  readonly userCalls: number;
  readonly userPromptTokens: number;
  readonly userCompletionTokens: number;
  /**
   * The cost of the user's model in US dollars; 0 if no model plays the user, and `null` if the price or the usage of
   * the user's model is unknown.
   */
  readonly cost: number | null;
  /** The duration of sampling in seconds, including the answers of the simulated users, but not training. */
  readonly seconds: number;
}

/** The forecast for a run. */
export interface Forecast {
  readonly rates: EpisodeRates;
  /** The maximum number of concurrent episodes during a rollout. */
  readonly atOnce: number;
  /** The number of calls to the user's model per minute that `atOnce` concurrent episodes make. */
  readonly callsPerMinute: number;
  /** The combined rate limit of all servers, in calls to the user's model per minute; `null` if there is none. */
  readonly callsPerMinuteLimit: number | null;
  /** The load of a rollout if the filter drops no group. Each dropped group adds to it. */
  readonly rollout: Load;
  /** The load of one evaluation; `null` if there is none, or its number of rows is unknown. */
  readonly evaluation: Load | null;
  readonly evaluations: number;
  /** The load of all rollouts and evaluations; excludes evaluations if their number of rows is unknown. */
  readonly run: Load;
  /** The number of rollouts that the recipe's budget covers; `null` if there is no budget, or the usage is unknown. */
  readonly rolloutsInBudget: number | null;
}

/**
 * Assumed values for an episode of τ-bench. They are taken from the 100 conversations of gpt-4o on τ-airline in
 * τ-bench's repository: 13.8 actions and 8.6 user messages; 800 tokens read and 25 written per message; 2,300 tokens in
 * addition to the prompt, at four characters per token. The seconds are a guess: 3 per turn and 1 per message.
 */
export const ASSUMED = {
  turns: 13.8,
  messages: 8.6,
  userPromptTokens: 800,
  userCompletionTokens: 25,
  conversationTokens: 2_300,
  promptTokens: 5_000,
  secondsPerTurn: 3,
  secondsPerMessage: 1,
} as const;

/**
 * Returns the assumed values for a recipe.
 * @param promptTokens The number of tokens in the policy text and the tools; `null` to assume a number.
 */
export function assumedRates(
  { user }: Pick<SlimeConfig, "user">,
  promptTokens: number | null,
): EpisodeRates {
  const calls = ASSUMED.messages * callsPerMessage(user.strategy);
  const prompt = promptTokens ?? ASSUMED.promptTokens;
  return {
    measuredOn: null,
    episodes: 0,
    turns: ASSUMED.turns,
    tokens: prompt + ASSUMED.conversationTokens,
    promptTokens: prompt,
    seconds: ASSUMED.turns * ASSUMED.secondsPerTurn +
      calls * ASSUMED.secondsPerMessage,
    user: calls === 0 ? null : {
      calls,
      promptTokens: calls * ASSUMED.userPromptTokens,
      cachedTokens: 0,
      completionTokens: calls * ASSUMED.userCompletionTokens,
    },
  };
}

/**
 * Forecasts the load of a run.
 * @param evalRows The total number of rows in all evaluated splits; `null` if unknown.
 */
export function forecast(
  { config, batch }: ResolvedSlime,
  { rates, evalRows, servers }: {
    readonly rates: EpisodeRates;
    readonly evalRows: number | null;
    /**
     * The number of servers if each has its own limits and budget, because they are already running; 1 if the servers
     * share the recipe's limits and budget.
     */
    readonly servers: number;
  },
): Forecast {
  const { rollout, eval: evals, user, budget } = config;
  const slots = config.engine.concurrency * batch.engines;
  const atOnce = Math.min(
    slots,
    batch.overSamplingBatchSize * rollout.groupSize,
  );
  const perMinute = asksModel(user.strategy)
    ? user.endpoint.calls.requestsPerMinute
    : 0;
  const limit = perMinute === 0 ? null : perMinute * servers;
  const load = (episodes: number, most: number) =>
    loadOf(episodes, { rates, config, limit, atOnce: Math.min(slots, most) });
  const evalEpisodes = evalRows === null ? null : evalRows * evals.samples;
  const evaluation = evals.every === 0 || evalEpisodes === null
    ? null
    : load(evalEpisodes, evalEpisodes);
  const evaluations = evaluationCount(config);
  const one = load(batch.samples, atOnce);
  const run = sum([
    [one, rollout.steps],
    ...evaluation === null ? [] : [[evaluation, evaluations] as const],
  ]);
  return {
    rates,
    atOnce,
    callsPerMinute: atOnce * (rates.user?.calls ?? 0) * 60 / rates.seconds,
    callsPerMinuteLimit: limit,
    rollout: one,
    evaluation,
    evaluations,
    run,
    rolloutsInBudget: rolloutsIn(budget, {
      run,
      steps: rollout.steps,
      servers,
    }),
  };
}

/** Returns warnings about a forecast. Each warning includes its fix. */
export function forecastWarnings(
  { callsPerMinute, callsPerMinuteLimit, rolloutsInBudget, rates }: Forecast,
  { user, rollout, budget, prices }: SlimeConfig,
): string[] {
  const limit = callsPerMinuteLimit;
  const isPriced = !asksModel(user.strategy) ||
    Object.hasOwn(prices, user.endpoint.model ?? "");
  return [
    ...(limit !== null && callsPerMinute > limit
      ? [
        `the concurrent episodes make about ${
          Math.round(callsPerMinute)
        } calls to the user's model per minute, but user.endpoint.calls.requestsPerMinute allows ${limit} (all servers together), so sampling is delayed; raise the limit, or lower engine.concurrency`,
      ]
      : []),
    ...(rolloutsInBudget !== null && rolloutsInBudget < rollout.steps
      ? [
        `the budget covers about ${rolloutsInBudget} of ${rollout.steps} rollouts; raise ${
          Object.entries({
            "budget.maxCost": budget.maxCost,
            "budget.maxTokens": budget.maxTokens,
          }).flatMap(([key, value]) => value === null ? [] : [key]).join(
            " or ",
          )
        }, or lower rollout.steps`,
      ]
      : []),
    ...(isPriced ? [] : [
      `the price of ${
        user.endpoint.model ?? "the user's model"
      } is unknown; add it to prices to get the cost`,
    ]),
    ...(asksModel(user.strategy) && rates.user === null
      ? [
        `"${rates.measuredOn}" had a user without a model, so calls and cost are unknown; base the forecast on a run whose user is ${user.strategy}`,
      ]
      : []),
  ];
}

function loadOf(
  episodes: number,
  { rates, config, limit, atOnce }: {
    readonly rates: EpisodeRates;
    readonly config: SlimeConfig;
    readonly limit: number | null;
    readonly atOnce: number;
  },
): Load {
  const user = rates.user ??
    { calls: 0, promptTokens: 0, cachedTokens: 0, completionTokens: 0 };
  const calls = episodes * user.calls;
  const sampling = episodes * rates.seconds / Math.max(1, atOnce);
  const waiting = limit === null ? 0 : calls * 60 / limit;
  return {
    episodes,
    tokens: episodes * rates.tokens,
    userCalls: calls,
    userPromptTokens: episodes * user.promptTokens,
    userCompletionTokens: episodes * user.completionTokens,
    cost: costOf(config, { episodes, rates }),
    // Sampling takes at least as long as the longest episode, which takes at least the mean.
    seconds: episodes === 0 ? 0 : Math.max(rates.seconds, sampling, waiting),
  };
}

/**
 * Returns the cost of the user's model in US dollars; 0 if no model plays the user, and `null` if the price or the
 * usage of the user's model is unknown.
 */
function costOf(
  { user, prices }: SlimeConfig,
  { episodes, rates }: {
    readonly episodes: number;
    readonly rates: EpisodeRates;
  },
): number | null {
  if (!asksModel(user.strategy)) return 0;
  const price = prices[user.endpoint.model ?? ""];
  if (price === undefined || rates.user === null) return null;
  const { promptTokens, cachedTokens, completionTokens } = rates.user;
  const { input, cachedInput = input, output } = price;
  return episodes * ((promptTokens - cachedTokens) * input +
    cachedTokens * cachedInput + completionTokens * output) /
    1e6;
}

/**
 * Returns the sum of loads, each multiplied by its count. The total cost is unknown if the cost of any part is unknown.
 */
function sum(parts: readonly (readonly [load: Load, count: number])[]): Load {
  const [[first]] = parts as readonly [readonly [Load, number]];
  const total = (key: keyof Load) =>
    parts.reduce<number | null>((sum, [load, count]) => {
      const value = load[key];
      return sum === null || value === null ? null : sum + value * count;
    }, 0);
  const keys = Object.keys(first) as (keyof Load)[];
  return Object.fromEntries(keys.map((key) => [key, total(key)])) as Record<
    keyof Load,
    number | null
  > as Load;
}

/**
 * Returns the number of rollouts that a budget covers; `null` if there is no budget, or the usage is unknown. The cost
 * of evaluations is spread evenly over the rollouts.
 */
function rolloutsIn(
  { maxCost, maxTokens }: SlimeConfig["budget"],
  { run, steps, servers }: {
    readonly run: Load;
    readonly steps: number;
    readonly servers: number;
  },
): number | null {
  const used = run.userPromptTokens + run.userCompletionTokens;
  const shares = [
    ...(maxCost === null || run.cost === null || run.cost === 0
      ? []
      : [maxCost * servers / run.cost]),
    ...(maxTokens === null || used === 0 ? [] : [maxTokens * servers / used]),
  ];
  return shares.length === 0
    ? null
    : Math.floor(Math.min(1, ...shares) * steps);
}
