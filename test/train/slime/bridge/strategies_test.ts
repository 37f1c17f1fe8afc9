import assert from "node:assert/strict";
import { join } from "node:path";
import type { EpisodeAnswer } from "../../../../env/serve/episode_answer.ts";
import { EpisodeService } from "../../../../env/serve/episode_service.ts";
import { episodesApp } from "../../../../env/serve/episodes_app.ts";
import { createTokenizer } from "../../../../env/tokens/tokenizer.ts";
import { resolveSlime } from "../../../../train/slime/slime_config.ts";
import { openEpisodeWorld } from "../../../../train/slime/bridge/episode_world.ts";
import {
  chatAnswer,
  type ModelRequest,
  modelServer,
} from "../../../support/model_server.ts";
import {
  tinyTokenizerFiles,
  writeModelDir,
  writeSlimeRecipe,
} from "../../../support/slime_recipe.ts";
import { inTempDir } from "../../../support/temp_dir.ts";
import { callText } from "../../../support/tiny_codec.ts";

const AGENTS = ["tool-calling", "act", "react", "few-shot"] as const;
const USERS = ["scripted", "llm", "react", "verify", "reflection"] as const;

const files = await tinyTokenizerFiles();
const tokenizer = createTokenizer(files);

/** The texts that the engine returns for each agent: a message, then a transfer to a human. */
const WORDS = {
  "tool-calling": [
    "Hello",
    callText("transfer_to_human_agents", '{"summary": "x"}'),
  ],
  act: [
    textAction("respond", "content"),
    textAction("transfer_to_human_agents", "summary"),
  ],
  react: [
    textAction("respond", "content"),
    textAction("transfer_to_human_agents", "summary"),
  ],
  "few-shot": [
    "Hello",
    callText("transfer_to_human_agents", '{"summary": "x"}'),
  ],
} as const;

function textAction(name: string, argument: string): string {
  const json = JSON.stringify({ name, arguments: { [argument]: "x" } });
  return `Thought:\nhm\nAction:\n${json}`;
}

/** Creates an engine for an agent that sends one message and then transfers the user to a human. */
function engineOf(agent: keyof typeof WORDS) {
  const turns = new Map<string, number>();
  return ({ path, headers }: ModelRequest): unknown => {
    if (path !== "/generate") return {};
    const key = headers.get("x-smg-routing-key") ?? "";
    const turn = turns.get(key) ?? 0;
    turns.set(key, turn + 1);
    const ids = tokenizer.encode(WORDS[agent][turn]! + tokenizer.endToken);
    return {
      output_ids: ids,
      meta_info: {
        finish_reason: { type: "stop" },
        weight_version: "1",
        output_token_logprobs: ids.map((id) => [-0.5, id, null]),
      },
    };
  };
}

/**
 * An answer that every kind of simulated user can parse: a thought, a message, and the verdict that the message is
 * good.
 */
const USER = "Thought:\nThis is true.\n\nUser Response:\nI need help.";

for (const agent of AGENTS) {
  Deno.test(`POST /episodes plays ${agent} with every kind of user`, () =>
    inTempDir(async (dir) => {
      const model = join(dir, "model");
      await writeModelDir(model, files);
      await using userModel = modelServer({
        answer: () => chatAnswer(USER),
      });
      await using engine = modelServer({ answer: engineOf(agent) });
      for (const strategy of USERS) {
        const path = await writeSlimeRecipe(dir, {
          model,
          agent,
          prompt: agent === "few-shot" ? "full" : "none",
          user: {
            strategy,
            endpoint: { model: "m", baseUrl: `${userModel.url}/v1` },
          },
          rollout: { maxResponseLen: 400, maxContextLen: 40_960, maxTurns: 4 },
        });
        const text = await Deno.readTextFile(path);
        const world = await openEpisodeWorld(
          resolveSlime({ name: "recipe", text }).config,
          { env: () => undefined },
        );
        const app = episodesApp({
          service: new EpisodeService(world),
          version: "0",
        });
        const before = userModel.requests.length;
        const response = await app.request("/episodes", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({
            task: 1,
            split: "train",
            seed: 1,
            session_id: strategy,
            engine: engine.url,
          }),
        });
        const answer: EpisodeAnswer = await response.json();
        const about = answer.metadata.taulab as Record<string, unknown>;
        const what = `${agent}, ${strategy}: ${JSON.stringify(about)}`;
        assert.equal(response.status, 200, what);
        assert.equal(answer.remove_sample, false, what);
        assert.equal(about.stop_reason, "transfer", what);
        assert.equal(about.turns, 2, what);
        assert.equal(about.agent, agent);
        assert.match(String(about.user), new RegExp(`^${strategy}`));
        assert.equal(answer.loss_mask.length, answer.response_length);
        const sampled = answer.loss_mask.filter((one) => one === 1).length;
        const wanted = WORDS[agent].map((one) =>
          tokenizer.encode(one + tokenizer.endToken).length
        );
        assert.equal(sampled, wanted.reduce((sum, n) => sum + n, 0), what);
        const asked = userModel.requests.length - before;
        assert.equal(asked === 0, strategy === "scripted", what);
      }
    }));
}
