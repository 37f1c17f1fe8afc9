import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError } from "../../../../env/errors.ts";
import type { Episode, Usage } from "../../../../env/types.ts";
import { NO_USAGE } from "../../../../env/models/usage.ts";
import { EpisodeStore } from "../../../../train/runs/episode_store.ts";
import { newRunInfo } from "../../../../train/runs/run_info.ts";
import { measuredRates } from "../../../../train/slime/plan/measured.ts";
import { fakeEpisode } from "../../../support/lab.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

function usage(calls: number, promptTokens: number): Usage {
  return {
    ...NO_USAGE,
    calls,
    promptTokens,
    cachedTokens: promptTokens / 4,
    completionTokens: 10 * calls,
    cost: null,
  };
}

/** Writes a run dir that has only the files that readers of episodes need. */
async function evaluation(path: string, episodes: readonly Episode[]) {
  const info = await newRunInfo({
    kind: "evaluate",
    seed: 1,
    dataset: { name: "d", fingerprint: "f" },
    now: new Date(0),
  });
  await Deno.mkdir(path);
  await Deno.writeTextFile(join(path, "run.json"), JSON.stringify(info));
  using store = new EpisodeStore(join(path, "episodes.db"));
  store.add(episodes.map((episode, group) => ({
    episode,
    place: { step: 0, source: "eval/dev", group, advantage: null },
  })));
}

Deno.test("measuredRates() averages over the episodes that ended by themselves", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "e1");
    const episode = fakeEpisode({ value: 1 });
    await evaluation(path, [
      {
        ...episode,
        durationMs: 20_000,
        usage: { agent: NO_USAGE, user: usage(4, 400) },
      },
      {
        ...episode,
        turns: [...episode.turns, ...episode.turns, ...episode.turns],
        durationMs: 40_000,
        usage: { agent: NO_USAGE, user: usage(8, 1200) },
      },
      { ...fakeEpisode({ value: null }), durationMs: 1e9 },
    ]);
    assert.deepEqual(await measuredRates(path, 2), {
      measuredOn: path,
      episodes: 2,
      turns: 2,
      tokens: 3,
      promptTokens: 2,
      seconds: 30,
      user: {
        calls: 6,
        promptTokens: 800,
        cachedTokens: 200,
        completionTokens: 60,
      },
    });
  }));

Deno.test("measuredRates() estimates an episode's length from a chat model's prompts", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "e1");
    await evaluation(path, [{
      ...fakeEpisode({ value: 1 }),
      trajectory: null,
      // Prompts of 1,000 to 3,000 tokens, 2,000 on average.
      usage: { agent: usage(5, 10_000), user: NO_USAGE },
    }]);
    const rates = await measuredRates(path, 1_000);
    assert.equal(rates.tokens, 3_000);
    assert.equal(rates.user, null);
  }));

Deno.test("measuredRates() rejects a run that does not exist or has nothing to measure", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "e1");
    await assert.rejects(measuredRates(path, 1), ConfigError);
    await evaluation(path, [fakeEpisode({ value: null })]);
    await assert.rejects(
      measuredRates(path, 1),
      /Cannot measure .*: all of them failed/,
    );
  }));
