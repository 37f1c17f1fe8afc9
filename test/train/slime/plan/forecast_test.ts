import { evaluationCount } from "../../../../train/slime/plan/async_mode.ts";
import {
  type SlimeConfig,
  slimeSchema,
} from "../../../../train/slime/slime_schema.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  assumedRates,
  type EpisodeRates,
  forecast,
  forecastWarnings,
} from "../../../../train/slime/plan/forecast.ts";
import { slimeOf } from "../../../support/slime_plan.ts";

const RATES: EpisodeRates = {
  measuredOn: "runs/e1",
  episodes: 10,
  turns: 12,
  tokens: 6_000,
  promptTokens: 4_000,
  seconds: 60,
  user: {
    calls: 10,
    promptTokens: 8_000,
    cachedTokens: 2_000,
    completionTokens: 200,
  },
};

const PRICE =
  "prices={gemini-2.5-flash-lite: {input: 1, cachedInput: 0.5, output: 4}}";

async function forecastOf(...sets: string[]) {
  const slime = await slimeOf("qwen3-4b", ...sets);
  return {
    config: slime.config,
    ...forecast(slime, { rates: RATES, evalRows: 20, servers: 1 }),
  };
}

Deno.test("forecast() computes the cost of a rollout, an evaluation and the run", async () => {
  const { rollout, evaluation, evaluations, run } = await forecastOf(
    PRICE,
    "rollout.steps=10",
  );
  const each = (6_000 * 1 + 2_000 * 0.5 + 200 * 4) / 1e6;
  assert.equal(rollout.episodes, 256);
  assert.ok(Math.abs(rollout.cost! - 256 * each) < 1e-9);
  assert.ok(Math.abs(evaluation!.cost! - 20 * each) < 1e-9);
  assert.equal(evaluations, 3);
  assert.ok(Math.abs(run.cost! - (2560 + 60) * each) < 1e-9);
  assert.equal(run.userCalls, 26_200);
});

Deno.test("forecast() returns no cost without a price, and warns", async () => {
  const { rollout, config, ...all } = await forecastOf();
  assert.equal(rollout.cost, null);
  const warnings = forecastWarnings({ rollout, ...all }, config);
  assert.ok(warnings.some((warning) => /add it to prices/.test(warning)));
});

Deno.test("forecast() includes waiting for the user's rate limit if that is slower", async () => {
  const free = await forecastOf();
  // 128 concurrent episodes of 60 s each: 256 episodes take two rounds.
  assert.equal(free.atOnce, 128);
  assert.equal(free.rollout.seconds, 120);
  assert.equal(free.callsPerMinute, 1280);
  const slow = await forecastOf(
    "user.endpoint.calls.requestsPerMinute=256",
  );
  assert.equal(slow.callsPerMinuteLimit, 256);
  assert.equal(slow.rollout.seconds, 600);
  assert.ok(
    forecastWarnings(slow, slow.config).some((warning) =>
      /requestsPerMinute allows 256/.test(warning)
    ),
  );
});

Deno.test("forecast() returns the number of rollouts in the budget", async () => {
  const { run } = await forecastOf(PRICE, "rollout.steps=10");
  const half = await forecastOf(
    PRICE,
    "rollout.steps=10",
    `budget.maxCost=${run.cost! / 2}`,
  );
  assert.equal(half.rolloutsInBudget, 5);
  assert.ok(
    forecastWarnings(half, half.config).some((warning) =>
      /about 5 of 10 rollouts/.test(warning)
    ),
  );
  const tokens = await forecastOf("rollout.steps=10", "budget.maxTokens=1");
  assert.equal(tokens.rolloutsInBudget, 0);
});

Deno.test("forecast() of a scripted user makes no calls and costs nothing", async () => {
  const slime = await slimeOf("qwen3-0.6b");
  const rates = assumedRates(slime.config, 3_000);
  const { run, callsPerMinute } = forecast(slime, {
    rates,
    evalRows: 50,
    servers: 1,
  });
  assert.equal(run.userCalls, 0);
  assert.equal(run.cost, 0);
  assert.equal(callsPerMinute, 0);
});

Deno.test("forecastWarnings() warns if the rates are from a scripted user but the user is a model", async () => {
  const slime = await slimeOf("qwen3-4b", PRICE);
  const all = forecast(slime, {
    rates: { ...RATES, user: null },
    evalRows: 20,
    servers: 1,
  });
  assert.equal(all.rollout.cost, null);
  assert.ok(
    forecastWarnings(all, slime.config).some((one) =>
      /without a model/.test(one)
    ),
  );
});

Deno.test("forecast() returns for the run the sum of its rollouts and evaluations", async () => {
  const slime = await slimeOf("qwen3-4b", PRICE);
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 60 }),
    fc.integer({ min: 0, max: 9 }),
    fc.integer({ min: 1, max: 200 }),
    (steps, every, evalRows) => {
      const { config } = slime;
      const changed = {
        ...config,
        rollout: { ...config.rollout, steps },
        eval: { ...config.eval, every },
      };
      const { run, rollout, evaluation, evaluations } = forecast({
        ...slime,
        config: changed,
      }, {
        rates: RATES,
        evalRows,
        servers: 1,
      });
      const parts = (of: "episodes" | "userCalls" | "seconds" | "tokens") =>
        steps * rollout[of] + evaluations * (evaluation?.[of] ?? 0);
      for (
        const key of ["episodes", "userCalls", "seconds", "tokens"] as const
      ) {
        assert.ok(Math.abs(run[key] - parts(key)) <= 1e-6 * parts(key));
      }
    },
  ));
});

function configOf(
  mode: SlimeConfig["algorithm"]["async"],
  sections: { eval: { every: number }; rollout: { steps: number } },
): SlimeConfig {
  return slimeSchema.parse({ ...sections, algorithm: { async: mode } });
}

Deno.test("evaluationCount() counts evaluations like slime: after each interval, and before the first rollout except with train_async.py", () => {
  for (const steps of [1, 4, 5, 6, 10]) {
    for (const every of [1, 5, 7]) {
      const after = Array.from({ length: steps }, (_, id) => id)
        .filter((id) => (id + 1) % every === 0);
      const shape = { eval: { every }, rollout: { steps } };
      assert.equal(evaluationCount(configOf("off", shape)), 1 + after.length);
      assert.equal(evaluationCount(configOf("one-step", shape)), after.length);
    }
  }
  const none = { eval: { every: 0 }, rollout: { steps: 10 } };
  assert.equal(evaluationCount(configOf("off", none)), 0);
});
