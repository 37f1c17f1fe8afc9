import assert from "node:assert/strict";
import { createRng } from "../../env/random.ts";
import type { Group } from "../../train/group.ts";
import { updateOnGroups, type UpdateOptions } from "../../train/update.ts";
import type { TrainSequence } from "../../train/trainer.ts";
import { fakeEpisode, fakeTask, FakeTrainer } from "../support/lab.ts";

const task = fakeTask("train", 0);

/** Creates a group whose episodes have the given advantages and numbers of sampled tokens. */
function groupOf(
  advantages: readonly number[],
  sampled: readonly number[],
): Group {
  const episodes = sampled.map((count, i) => ({
    ...fakeEpisode({ task, value: advantages[i]! > 0 ? 1 : 0 }),
    trajectory: {
      ids: Array.from({ length: count + 1 }, () => i),
      lossMask: [0, ...Array.from({ length: count }, () => 1)] as (0 | 1)[],
      logprobs: Array.from({ length: count + 1 }, () => 0),
    },
  }));
  return { task, episodes, rewards: [], advantages, variance: 1 };
}

/**
 * Updates a fake trainer on a group. Returns the statistics of the update, and the advantage of each sequence in it, in
 * the order of the group's episodes.
 */
async function advantagesOf(group: Group, options: Partial<UpdateOptions>) {
  const trainer = new FakeTrainer({});
  const seen: [episode: number, advantage: TrainSequence["advantage"]][] = [];
  trainer.reinforce = (batch) => {
    for (const { ids, advantage } of batch) seen.push([ids[0]!, advantage]);
    return Promise.resolve({
      loss: 0,
      gradNorm: 0,
      entropy: 0,
      klOld: 0,
      klReference: 0,
      clipShare: 0,
      lossTokens: 1,
      tokens: batch.length,
    });
  };
  const stats = await updateOnGroups(trainer, [group], {
    loss: {
      learningRate: 1,
      maxGradNorm: 1,
      clipLow: 0.2,
      clipHigh: 0.2,
      klCoef: 0,
      entropyCoef: 0,
    },
    minibatches: 1,
    lossMean: "token",
    negativeWeight: 1,
    rng: createRng(1),
    ...options,
  });
  return {
    stats,
    advantages: seen.sort(([a], [b]) => a - b).map(([, advantage]) =>
      advantage
    ),
  };
}

Deno.test("updateOnGroups() does not change advantages for the mean over tokens", async () => {
  const { advantages } = await advantagesOf(groupOf([0.5, -0.5], [2, 6]), {});
  assert.deepEqual(advantages, [0.5, -0.5]);
});

Deno.test("updateOnGroups() gives each episode the same weight for the mean over episodes", async () => {
  const lengths = [2, 6];
  const { advantages } = await advantagesOf(groupOf([0.5, -0.5], lengths), {
    lossMean: "episode",
  });
  const total = advantages.map((advantage, i) =>
    Number(advantage) * lengths[i]!
  );
  assert.equal(total[0], 2);
  assert.equal(total[1], -2);
});

Deno.test("updateOnGroups() applies negativeWeight only to negative advantages", async () => {
  const { advantages } = await advantagesOf(groupOf([0.5, -0.5], [3, 3]), {
    negativeWeight: 0.25,
  });
  assert.deepEqual(advantages, [0.5, -0.125]);
});

Deno.test("updateOnGroups() uses and weighs the advantages of tokens if there are any", async () => {
  const group = {
    ...groupOf([0.5, -0.5], [1, 3]),
    tokenAdvantages: [[0, 0.5], [0, -1, 1, 0.5]],
  };
  const { advantages } = await advantagesOf(group, {
    negativeWeight: 0.25,
    lossMean: "episode",
  });
  assert.deepEqual(advantages, [[0, 1], [
    0,
    -0.25 * 2 / 3,
    2 / 3,
    0.5 * 2 / 3,
  ]]);
});

Deno.test("updateOnGroups() deals every sequence to one minibatch", async () => {
  const { advantages, stats } = await advantagesOf(
    groupOf([0.5, -0.5, 0.25, -0.25, 0], [1, 1, 1, 1, 1]),
    { minibatches: 2 },
  );
  assert.deepEqual(advantages, [0.5, -0.5, 0.25, -0.25, 0]);
  assert.deepEqual([stats.tokens, stats.lossTokens], [5, 2]);
});
