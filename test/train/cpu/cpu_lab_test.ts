import assert from "node:assert/strict";
import { makeConfig, resolveConfig } from "../../../train/config/config.ts";
import { createCpuLab } from "../../../train/cpu/cpu_lab.ts";
import { openDataset } from "../../../train/config/open_dataset.ts";

for (const agent of ["tool-calling", "act", "react"] as const) {
  Deno.test(`createCpuLab() teaches and samples ${agent}, with its own tokenizer`, async () => {
    const config = resolveConfig({
      name: "tiny",
      text: `
        agent: ${agent}
        threads: 1
        model: { dim: 32, heads: 2, layers: 1, hidden: 64, pointerDim: 16, contextLength: 2048 }
        data: { generated: { trainTasks: 12, devTasks: 2, testTasks: 3 } }
        rollout: { maxTokensPerTurn: 16, maxTurns: 30 }
      `,
    });
    const dataset = await openDataset(config.data);
    await using lab = await createCpuLab({ config, dataset });
    const { sequences, tooLong, unsolved } = lab.demonstrations;
    assert.equal(sequences.length + tooLong + unsolved, 12);
    assert.ok(sequences.length > 6);
    const vocabulary = JSON.stringify(lab.tokenizer.tokenizer);
    assert.equal(vocabulary.includes("tool_call"), agent === "tool-calling");
    const jobs = dataset.tasks("dev").map((task) => ({ task, seed: 1 }));
    for (const episode of await lab.sample(jobs, { temperature: 1 })) {
      assert.equal(episode.agent, agent);
      assert.equal(episode.failure, null);
      assert.ok((episode.trajectory?.ids.length ?? 0) > 0);
    }
  });
}

Deno.test("createCpuLab() reports why a cold start has no demonstrations, and needs none without a cold start", async () => {
  const config = makeConfig({
    threads: 1,
    model: { dim: 32, heads: 2, layers: 1, hidden: 64, pointerDim: 16 },
    data: { generated: { trainTasks: 4, devTasks: 1, testTasks: 1 } },
    rollout: { maxTurns: 1 },
  });
  const dataset = await openDataset(config.data);
  await assert.rejects(createCpuLab({ config, dataset }), {
    name: "ConfigError",
    message:
      /the expert did not solve 4 of 4 train tasks within rollout.maxTurns=1/,
  });
  const warm = makeConfig({ ...config, coldStart: { steps: 0 } });
  await using lab = await createCpuLab({ config: warm, dataset });
  assert.equal(lab.demonstrations.unsolved, 4);
});

Deno.test("createCpuLab() drops demonstrations longer than coldStart.maxTokens", async () => {
  const open = async (maxTokens: number) => {
    const config = makeConfig({
      threads: 1,
      model: { dim: 32, heads: 2, layers: 1, hidden: 64, pointerDim: 16 },
      data: { generated: { trainTasks: 12, devTasks: 1, testTasks: 1 } },
      coldStart: { maxTokens },
    });
    const dataset = await openDataset(config.data);
    await using lab = await createCpuLab({ config, dataset });
    const { sequences, tooLong } = lab.demonstrations;
    return { tooLong, lengths: sequences.map(({ ids }) => ids.length) };
  };
  const all = await open(0);
  const median = all.lengths.toSorted((a, b) => a - b)[6]!;
  const short = await open(median);
  assert.deepEqual(short.lengths, all.lengths.filter((n) => n <= median));
  assert.equal(short.tooLong, 12 - short.lengths.length);
});
