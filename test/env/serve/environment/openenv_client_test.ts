/** Tests an environment server with OpenEnv's client from PyPI. */

import assert from "node:assert/strict";
import { expertAgent } from "../../../../env/agents/expert.ts";
import { toPlain } from "../../../../env/python/python_json.ts";
import { rollout } from "../../../../env/rollout.ts";
import type { Action } from "../../../../env/types.ts";
import { scriptedUser } from "../../../../env/users/scripted.ts";
import { askPython } from "../../../support/ask_python.ts";
import {
  environmentServer,
  SERVED_DATASET,
} from "../../../support/environment_server.ts";
import { clientPython } from "../../../support/python.ts";

function actionOf(action: Action): unknown {
  return action.type === "respond" ? action : {
    type: "call_tool",
    tool_name: action.call.name,
    arguments: toPlain(action.call.arguments),
  };
}

Deno.test({
  name:
    "OpenEnv's client resets, steps and asks for the state, with a token too (needs openenv-core)",
  ignore: clientPython("openenv") === undefined,
  async fn() {
    await using server = environmentServer();
    await using closed = environmentServer({ app: { token: "secret" } });
    const dataset = SERVED_DATASET;
    const task = dataset.tasks("test")[1]!;
    const episode = await rollout({
      ...{ dataset, task, seed: 9 },
      agent: expertAgent(),
      user: scriptedUser(dataset),
    });
    const reset = { split: "test", task: 1, seed: 9 };
    const actions = episode.turns.map(({ action }) => actionOf(action));
    const withToken = closed.url.replace("//", "//any:secret@");
    const asked = {
      episodes: [server.url, withToken].map((url) => ({ url, reset, actions })),
      refused: [closed.url],
    };
    const { episodes, refused } = await askPython(
      "ask_openenv.py",
      JSON.stringify(asked),
      { python: clientPython("openenv")! },
    ) as {
      episodes: {
        results: [Record<string, unknown>, number | null, boolean][];
        state: Record<string, unknown>;
      }[];
      refused: string[];
    };
    assert.equal(episodes.length, 2);
    for (const { results: [first, ...steps], state } of episodes) {
      assert.deepEqual(first!.slice(1), [null, false]);
      assert.equal(first![0].task_id, task.id);
      assert.deepEqual(
        steps.map(([{ content }]) => content),
        episode.turns.map(({ observation }) => observation.content),
      );
      assert.deepEqual(steps.at(-1)!.slice(1), [1, true]);
      assert.equal(state.step_count, actions.length);
      assert.equal(state.reward, 1);
    }
    assert.match(refused[0]!, /401/);
    assert.equal(server.sessions.size, 0, "closed with the connection");
  },
});
