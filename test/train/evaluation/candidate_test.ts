import assert from "node:assert/strict";
import { join } from "node:path";
import { createMeter } from "../../../env/models/meter.ts";
import { rolloutAll } from "../../../env/rollout.ts";
import { policyApp } from "../../../env/serve/policy_app.ts";
import type { Episode } from "../../../env/types.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";
import { resolveBy } from "../../../train/config/config.ts";
import { openDataset } from "../../../train/config/open_dataset.ts";
import { openCandidate } from "../../../train/evaluation/candidate.ts";
import { evaluationSchema } from "../../../train/evaluation/evaluation_config.ts";
import { openRunPolicy } from "../../../train/cpu/run_policy.ts";
import { readRun } from "../../../train/runs/training_dir.ts";
import { TINY_CONFIG, writePolicyRun } from "../../support/policy_run.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const dataset = await openDataset(TINY_CONFIG.data);

/** Plays the test tasks with the candidate that an evaluation config selects. */
async function episodesOf(text: string): Promise<Episode[]> {
  const config = resolveBy(evaluationSchema, { name: "test", text });
  const options = { dataset, meter: createMeter(), env: () => undefined };
  await using candidate = await openCandidate(config, options);
  return await rolloutAll(
    dataset.tasks("test").map((task) => ({
      dataset,
      task,
      agent: candidate.agent,
      user: scriptedUser(dataset),
      userName: "scripted",
      seed: 5,
      maxTurns: 6,
    })),
    { concurrency: 3, now: () => 0 },
  );
}

Deno.test("openCandidate() plays the same conversations, token by token, with a policy behind /generate", () =>
  inTempDir(async (dir) => {
    const run = join(dir, "tiny");
    await writePolicyRun(run, {
      async look({ tokenizer }) {
        const { tokenizer: model, config } = tokenizer;
        const files = {
          "tokenizer.json": model,
          "tokenizer_config.json": config,
        };
        for (const [name, file] of Object.entries(files)) {
          await Deno.writeTextFile(join(dir, name), JSON.stringify(file));
        }
      },
    });
    await using opened = await openRunPolicy(await readRun(run));
    const app = policyApp({
      policy: {
        model: opened.policy,
        codec: opened.codec,
        name: "tiny",
        weightVersion: "1",
        prompt: "none",
      },
    });
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      app.fetch,
    );
    const direct = await episodesOf(
      `{ policy: ${run}, model: { temperature: 0 } }`,
    );
    const served = await episodesOf(
      `{ prompt: none, model: { provider: sglang, model: tiny, tokenizer: "${dir}", temperature: 0,
         contextLength: 2048, maxTokens: 16, baseUrl: "http://127.0.0.1:${server.addr.port}/v1" } }`,
    );
    await server.shutdown();
    assert.ok(direct.length > 0);
    for (const [i, { trajectory, messages, stopReason }] of served.entries()) {
      assert.deepEqual(messages, direct[i]?.messages);
      assert.deepEqual(trajectory, direct[i]?.trajectory);
      assert.equal(stopReason, direct[i]?.stopReason);
    }
  }));

Deno.test("openCandidate() works on token ids only with SGLang", async () => {
  await assert.rejects(
    episodesOf("{ model: { model: m, tokenizer: dir, provider: vllm } }"),
    { name: "ConfigError", hint: /pass --provider sglang/ },
  );
});
