/**
 * Checks the simulated user: requests the first message of a conversation from it, and compares the endpoint's rate
 * limit with the calls that the run will make.
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

/** The `user` check. */
export const check: Check = {
  id: "user",
  order: 160,
  title:
    "the simulated user answers, and the run's calls are within the endpoint's rate limit",
  timeoutMs: 120_000,
  async run(context) {
    const limits = new RateLimits();
    const spoken = await requestOneMessage(context, limits);
    if (typeof spoken !== "number") return [spoken];
    const { strategy, endpoint } = context.config.user;
    if (!asksModel(strategy)) {
      return verdict([], "the scripted user needs no endpoint");
    }
    const plan = forecastBy(context, spoken);
    return verdict(
      rateFaults(plan, { limits, config: context.config }),
      `${strategy} ${endpoint.model} answers within ${
        spoken.toFixed(1)
      } s; concurrent episodes: ${plan.atOnce}, calls per minute: about ${
        Math.round(plan.callsPerMinute)
      }${limits.describe()}`,
    );
  },
};

/**
 * The rate limits that an endpoint reports in its response headers. OpenAI defined these headers, and other providers
 * use them too.
 */
class RateLimits {
  /** The maximum number of calls per minute; `null` if no response reports it. */
  requests: number | null = null;
  /** The maximum number of tokens per minute; `null` if no response reports it. */
  tokens: number | null = null;
  isRefused = false;

  hear({ status, headers }: Response): void {
    this.isRefused ||= status === 429;
    this.requests = limitOf(headers, "requests") ?? this.requests;
    this.tokens = limitOf(headers, "tokens") ?? this.tokens;
  }

  describe(): string {
    return this.requests === null
      ? "; the endpoint does not report its limit"
      : `, and the endpoint allows ${this.requests}`;
  }
}

function limitOf(headers: Headers, of: "requests" | "tokens"): number | null {
  const value = Number(headers.get(`x-ratelimit-limit-${of}`) ?? NaN);
  return value > 0 ? value : null;
}

/**
 * Requests one message from the user.
 * @returns The time in seconds that the request took, or a finding if the request failed.
 */
async function requestOneMessage(
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

/** Returns the config with retries turned off, because a retry would hide that the first call was rejected. */
function withoutRetries(config: SlimeConfig): SlimeConfig {
  const { endpoint } = config.user;
  const calls = { ...endpoint.calls, retries: 0 };
  const user = { ...config.user, endpoint: { ...endpoint, calls } };
  return { ...config, user };
}

function refusalOf(error: unknown, limits: RateLimits): Observed {
  if (!(error instanceof BoundaryError) || !limits.isRefused) {
    return faultOf(error, "set another model or endpoint in user.endpoint");
  }
  return fail(
    `a single call exceeds the rate limit (429): ${error.message}`,
    "wait until nothing else uses the key, or raise its quota",
  );
}

/**
 * Forecasts the load from the measured seconds per message. The other rates, such as the number of turns and their
 * duration, are assumptions.
 */
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

/**
 * Returns the number of servers that apply the recipe's rate limit independently of each other: all servers that are
 * already running, or 1 for a launch, whose servers share the limit.
 */
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
  const share = servers === 1 ? "" : " (the share of each episode server)";
  const fix =
    `set user.endpoint.calls.requestsPerMinute to ${each}${share}, or raise the key's quota`;
  if (own !== null && own > requests) {
    return [warn(
      `user.endpoint.calls.requestsPerMinute allows ${own} calls per minute across all episode servers, but the endpoint allows ${requests}`,
      fix,
    )];
  }
  return own === null && callsPerMinute > requests
    ? [fail(
      `the run makes about ${
        Math.round(callsPerMinute)
      } calls per minute, but the endpoint allows ${requests}: it would reject the excess calls, and their episodes would fail`,
      fix,
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
    `the run's calls take about ${needed} tokens per minute, but the endpoint allows ${tokens}`,
    `set user.endpoint.calls.requestsPerMinute so that all servers combined make ${
      Math.floor(tokens / perCall)
    } calls per minute, or raise the key's quota`,
  )];
}

function queueFaults(
  { callsPerMinute, callsPerMinuteLimit: own, rollout }: Forecast,
): Observed[] {
  if (own === null || callsPerMinute <= own) return [];
  return [warn(
    `the run would make about ${
      Math.round(callsPerMinute)
    } calls per minute, but user.endpoint.calls.requestsPerMinute allows ${own} for all servers together, so a rollout takes at least ${
      Math.round(rollout.seconds / 60)
    } min`,
    "raise user.endpoint.calls.requestsPerMinute if the endpoint allows it, or lower engine.concurrency",
  )];
}
