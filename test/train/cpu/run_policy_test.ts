import assert from "node:assert/strict";
import { join } from "node:path";
import {
  ConfigError,
  DataError,
  messageOf,
  RunDirError,
} from "../../../env/errors.ts";
import { rollout } from "../../../env/rollout.ts";
import type { Message } from "../../../env/types.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";
import { openDataset } from "../../../train/config/open_dataset.ts";
import { openRunPolicy } from "../../../train/cpu/run_policy.ts";
import { latestCompleted } from "../../../train/runs/run_reader.ts";
import { readRun } from "../../../train/runs/training_dir.ts";
import { TINY_CONFIG, writePolicyRun } from "../../support/policy_run.ts";
import { inTempDir } from "../../support/temp_dir.ts";

async function refusal(path: string, kind: new (message: string) => Error) {
  const error = await openRunPolicy(await readRun(path))
    .then(() => undefined, (reason) => reason);
  assert.ok(error instanceof kind, String(error));
  assert.ok(!error.message.includes("\n"), "one paragraph");
  return messageOf(error);
}

Deno.test("openRunPolicy() opens the agent with which the policy was trained", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a");
    const dataset = await openDataset(TINY_CONFIG.data);
    const jobs = dataset.tasks("test").map((task, seed) => ({ task, seed }));
    const told: (readonly Message[])[] = [];
    await writePolicyRun(path, {
      steps: [1, 4],
      async look(lab) {
        const episodes = await lab.sample(jobs, { temperature: 1 });
        told.push(...episodes.map(({ messages }) => messages));
      },
    });

    await using policy = await openRunPolicy(await readRun(path));
    assert.equal(policy.step, 4);
    for (const [i, job] of jobs.entries()) {
      const { messages } = await rollout({
        ...job,
        dataset,
        agent: await policy.agent({ temperature: 1, dataset }),
        user: scriptedUser(dataset),
        userName: "scripted",
        maxTurns: TINY_CONFIG.rollout.maxTurns,
        now: () => 0,
      });
      assert.ok(messages.length > 1);
      assert.deepEqual(messages, told[i]);
    }
  }));

Deno.test("openRunPolicy() reports what is wrong with a run, and how to fix it", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "a");
    await writePolicyRun(path, { steps: [1, 4] });
    const last = join(path, "checkpoints", "4");

    const weights = join(last, "policy", "weights.f32");
    const bytes = await Deno.readFile(weights);
    bytes[5]! ^= 1;
    await Deno.writeFile(weights, bytes);
    assert.match(
      await refusal(path, RunDirError),
      /Cannot open the policy of ".*a": ".*weights.f32" is damaged: .*SHA-256.*; remove ".*\/4" to use the checkpoint before it, or choose another run$/,
    );

    await Deno.writeTextFile(join(last, "checkpoint.json"), "{");
    assert.match(
      await refusal(path, RunDirError),
      /checkpoint.json is missing or invalid; remove ".*\/4" to use/,
    );

    await Deno.remove(last, { recursive: true });
    await using policy = await openRunPolicy(await readRun(path));
    assert.equal(policy.step, 1);

    const tokenizer = join(path, "tokenizer.json");
    await Deno.writeTextFile(tokenizer, "{");
    assert.match(await refusal(path, RunDirError), /is not JSON; restore it/);
    await Deno.writeTextFile(tokenizer, "{}");
    assert.match(await refusal(path, DataError), /tokenizer.json/);
    await Deno.remove(tokenizer);
    assert.match(await refusal(path, RunDirError), /is missing; the policy/);

    await Deno.remove(join(path, "checkpoints", "1"), { recursive: true });
    assert.match(
      await refusal(path, ConfigError),
      /has no checkpoint.*deno task train --resume .*a", or choose another run$/,
    );
  }));

Deno.test("latestCompleted() returns the completed run that started last", () =>
  inTempDir(async (dir) => {
    assert.equal(await latestCompleted(dir), undefined);
    await writePolicyRun(join(dir, "new"), { startedAt: new Date(2) });
    await writePolicyRun(join(dir, "old"), { startedAt: new Date(1) });
    assert.equal(await latestCompleted(dir), join(dir, "new"));
  }));
