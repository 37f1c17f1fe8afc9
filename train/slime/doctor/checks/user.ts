/**
 * The simulated user: a real conversation is begun, and the endpoint's rate limit is compared with what the run
 * would ask for.
 */

import { asksModel } from "../../../../env/users/registry.ts";
import { BoundaryError } from "../../../../env/errors.ts";
import { createMeter } from "../../../../env/models/meter.ts";
import type { ResolvedSlime } from "../../slime_config.ts";
import type { SlimeConfig } from "../../slime_schema.ts";
import {
  ASSUMED,
  assumedRates,
  type EpisodeRates,
  type Forecast,
  forecast,
} from "../../plan/forecast.ts";
import { openUser } from "../../../config/open_user.ts";
import {
  type Check,
  type CheckContext,
  fail,
  faultOf,
  type Observed,
  verdict,
  warn,
} from "../check.ts";

/** The check `user`. */
export const check: Check = {
  id: "user",
  order: 160,
  title:
    "the simulated user speaks, and the run's calls are within the endpoint's rate limit",
  timeoutMs: 120_000,
  async run(context) {
    const limits = new RateLimits();
    const spoken = await letOneSpeak(context, limits);
    if (typeof spoken !== "number") return [spoken];
    const { strategy, endpoint } = context.config.user;
    if (!asksModel(strategy)) return verdict([], "the scripted user speaks");
    const plan = forecastBy(context, spoken);
    return verdict(
      rateFaults(plan, { limits, config: context.config }),
      `${strategy} ${endpoint.model} speaks within ${
        spoken.toFixed(1)
      } s; ${plan.atOnce} episodes at once make about ${
        Math.round(plan.callsPerMinute)
      } calls a minute${limits.describe()}`,
    );
  },
};

/** What answers say of their endpoint's limits, by the headers that OpenAI has and others took over. */
class RateLimits {
  /** Calls a minute; `null` where no answer says so. */
  requests: number | null = null;
  /** Tokens a minute. */
  tokens: number | null = null;
  isRefused = false;

  hear({ status, headers }: Response): void {
    this.isRefused ||= status === 429;
    this.requests = limitOf(headers, "requests") ?? this.requests;
    this.tokens = limitOf(headers, "tokens") ?? this.tokens;
  }

  describe(): string {
    return this.requests === null
      ? "; the endpoint does not tell its limit"
      : `, and the endpoint allows ${this.requests}`;
  }
}

function limitOf(headers: Headers, of: "requests" | "tokens"): number | null {
  const value = Number(headers.get(`x-ratelimit-limit-${of}`) ?? NaN);
  return value > 0 ? value : null;
}

/** @returns Seconds of a message, or what went wrong. */
async function letOneSpeak(
  { config, facts, env, signal }: CheckContext,
  limits: RateLimits,
): Promise<number | Observed> {
  const dataset = await facts.dataset();
  const task = dataset.tasks("train")[0]!;
  try {
    const user = await openUser(withoutRetries(config), {
      dataset,
      env,
      signal,
      meter: createMeter({ ...config.budget, prices: config.prices }),
      onResponse: (response) => limits.hear(response),
    });
    const began = performance.now();
    await user(task, { seed: 1 }).open({ signal });
    return (performance.now() - began) / 1000;
  } catch (error) {
    signal.throwIfAborted();
    return refusalOf(error, limits);
  }
}

/** The first refusal is what is to be seen, and not what waiting makes of it. */
function withoutRetries(config: SlimeConfig): SlimeConfig {
  const { endpoint } = config.user;
  const calls = { ...endpoint.calls, retries: 0 };
  const user = { ...config.user, endpoint: { ...endpoint, calls } };
  return { ...config, user };
}

function refusalOf(error: unknown, limits: RateLimits): Observed {
  if (!(error instanceof BoundaryError) || !limits.isRefused) {
    return faultOf(error, "name another model or endpoint in user.endpoint");
  }
  return fail(
    `a single call is refused for its rate (429): ${error.message}`,
    "wait until nothing else uses the key, raise its quota, or name another endpoint in user.endpoint",
  );
}

/** The forecast by the seconds that a message really takes; turns of the policy stay assumed. */
function forecastBy(
  slime: ResolvedSlime,
  secondsPerMessage: number,
): Forecast {
  const { config } = slime;
  const assumed = assumedRates(config, null);
  const messages = ASSUMED.messages * secondsPerMessage;
  const rates: EpisodeRates = {
    ...assumed,
    seconds: ASSUMED.turns * ASSUMED.secondsPerTurn + messages,
  };
  return forecast(slime, {
    rates,
    evalRows: null,
    servers: serversOf(config),
  });
}

/** Each server that runs already keeps to the recipe's limit by itself; those of a launch share it. */
function serversOf({ bridge }: SlimeConfig): number {
  return Math.max(1, bridge.services.length);
}

function rateFaults(
  plan: Forecast,
  { limits, config }: { limits: RateLimits; config: SlimeConfig },
): Observed[] {
  return [
    ...requestFaults(plan, { limits, config }),
    ...tokenFaults(plan, limits),
    ...queueFaults(plan),
  ];
}

function requestFaults(
  { callsPerMinute, callsPerMinuteLimit: own }: Forecast,
  { limits: { requests }, config }: {
    limits: RateLimits;
    config: SlimeConfig;
  },
): Observed[] {
  if (requests === null) return [];
  const servers = serversOf(config);
  const each = Math.max(1, Math.floor(requests / servers));
  const fix =
    `set user.endpoint.calls.requestsPerMinute to ${each}, which each of ${servers} episode servers keeps to, or raise the key's quota`;
  if (own !== null && own > requests) {
    return [warn(
      `user.endpoint.calls.requestsPerMinute comes to ${own} calls a minute of all episode servers, and the endpoint allows ${requests}`,
      fix,
    )];
  }
  return own === null && callsPerMinute > requests
    ? [fail(
      `the run makes about ${
        Math.round(callsPerMinute)
      } calls a minute, and the endpoint allows ${requests}: it would refuse the others, and their episodes fail`,
      `${fix}, or lower engine.concurrency`,
    )]
    : [];
}

function tokenFaults(
  { callsPerMinute, rates }: Forecast,
  { tokens }: RateLimits,
): Observed[] {
  if (tokens === null || rates.user === null) return [];
  const { calls, promptTokens, completionTokens } = rates.user;
  const perCall = (promptTokens + completionTokens) / calls;
  const needed = Math.round(callsPerMinute * perCall);
  return needed <= tokens ? [] : [warn(
    `the run's calls take about ${needed} tokens a minute, and the endpoint allows ${tokens}`,
    `set user.endpoint.calls.requestsPerMinute so that all servers together make ${
      Math.floor(tokens / perCall)
    } calls a minute, or raise the key's quota`,
  )];
}

function queueFaults(
  { callsPerMinute, callsPerMinuteLimit: own, rollout }: Forecast,
): Observed[] {
  if (own === null || callsPerMinute <= own) return [];
  return [warn(
    `the run would make about ${
      Math.round(callsPerMinute)
    } calls a minute and user.endpoint.calls.requestsPerMinute allows ${own}, all servers together: a rollout waits for it, ${
      Math.round(rollout.seconds / 60)
    } minutes or more`,
    "raise user.endpoint.calls.requestsPerMinute if the endpoint allows it, or lower engine.concurrency",
  )];
}
