import assert from "node:assert/strict";
import { planText } from "../../../../train/slime/plan/plan_text.ts";
import { planLaunch } from "../../../../train/slime/plan/slime_plan.ts";
import { assertGolden } from "../../../support/golden.ts";
import {
  RETAIL_ROWS,
  slimeFactsOf,
  slimeOf,
} from "../../../support/slime_plan.ts";

Deno.test("planText() of qwen3-4b matches the golden file", async () => {
  const slime = await slimeOf("qwen3-4b");
  const plan = planLaunch(slime, slimeFactsOf());
  await assertGolden(
    "slime_plan_4b.txt",
    `${planText(slime.config, plan)}\n`,
  );
});

Deno.test("planText() of two hosts, with prices, limits and a measured run, matches the golden file", async () => {
  const slime = await slimeOf(
    "qwen3-8b-2nodes",
    "prices={gemini-2.5-flash-lite: {input: 1, output: 4}}",
    "user.endpoint.calls.requestsPerMinute=2000",
    "budget.maxCost=500",
    "bridge.address=10.0.0.5",
    "tracking.wandb=true",
    "checkpoint.huggingFace=/shared/hf",
    "flags.sglang-enable-metrics=true",
  );
  const plan = planLaunch(
    slime,
    slimeFactsOf({
      nvlink: true,
      measuredTraining: {
        measuredOn: "runs/e1",
        rollouts: 40,
        utilisation: 0.5,
        transferBytesPerS: 1e9,
      },
      measured: {
        measuredOn: "runs/e1",
        episodes: 115,
        turns: 12.25,
        tokens: 8_000,
        promptTokens: 4_000,
        seconds: 75,
        user: {
          calls: 9.5,
          promptTokens: 8_500,
          cachedTokens: 0,
          completionTokens: 260,
        },
      },
    }),
  );
  const text = `${planText(slime.config, plan)}\n`;
  await assertGolden("slime_plan_8b_2nodes.txt", text);
});

Deno.test("planText() contains every word of the command line, and every variable", async () => {
  const slime = await slimeOf("qwen3-8b-2nodes", "eval.splits=[dev]");
  const plan = planLaunch(slime, slimeFactsOf({ data: RETAIL_ROWS }));
  const text = planText(slime.config, plan);
  for (const word of plan.trainWords) assert.ok(text.includes(word), word);
  for (const [name, value] of Object.entries(plan.job.runtimeEnv.env_vars)) {
    assert.ok(text.includes(`${name}=${value}`), name);
  }
  for (const { path } of plan.files) assert.ok(text.includes(path), path);
});
