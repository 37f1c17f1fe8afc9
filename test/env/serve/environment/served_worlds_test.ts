/** Tests that in a session of any kind of world, a client gets the same observations and reward as in a rollout. */

import assert from "node:assert/strict";
import { expertAgent } from "../../../../env/agents/expert.ts";
import {
  loadTauBench,
  tauBenchDir,
} from "../../../../env/benchmarks/tau/tau_bench.ts";
import { tau3BenchDir } from "../../../../env/benchmarks/tau3/load_bundle.ts";
import { tau3Bench } from "../../../../env/benchmarks/tau3/tau3_bench.ts";
import { generated } from "../../../../env/generated/generated.ts";
import { printPythonJson } from "../../../../env/python/python_json.ts";
import { rollout } from "../../../../env/rollout.ts";
import { type Dataset, STAND_IN } from "../../../../env/types.ts";
import { scriptedUser } from "../../../../env/users/scripted.ts";
import { environmentServer } from "../../../support/environment_server.ts";
import { NO_TAU3_BENCH, TAU3_BENCH } from "../../../support/tau3_bench.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../../../support/tau_bench.ts";
import "../../../support/library_desk/register.ts";

const SIZES = { trainTasks: 8, devTasks: 2, testTasks: 2 };

interface World {
  readonly open: () => Dataset | Promise<Dataset>;
  readonly ignore?: boolean;
}

const WORLDS: Readonly<Record<string, World>> = {
  "a generated airline": {
    open: () => generated(1, SIZES, { domain: "airline" }),
  },
  "a domain of a script's own": {
    open: () => generated(1, SIZES, { domain: "library" }),
  },
  "τ-bench's retail (needs its data)": {
    open: () => loadTauBench(tauBenchDir(TAU_BENCH), "retail"),
    ignore: NO_TAU_BENCH,
  },
  "τ³-bench's telecom (needs its data)": {
    open: () => tau3Bench(tau3BenchDir(TAU3_BENCH), { domain: "telecom" }),
    ignore: NO_TAU3_BENCH,
  },
};

for (const [name, { open, ignore = false }] of Object.entries(WORLDS)) {
  Deno.test({
    name: `a session equals the rollout in ${name}`,
    ignore,
    async fn() {
      const dataset = await open();
      const split = dataset.splits.at(-1)!;
      const task = dataset.tasks(split)[1]!;
      const user = scriptedUser(dataset);
      const how = { dataset, user, judge: STAND_IN, maxTurns: 200 } as const;
      const episode = await rollout({
        ...{ ...how, task, seed: 4 },
        agent: expertAgent(),
      });
      assert.ok(episode.turns.length > 2, String(episode.failure?.message));
      await using server = environmentServer({ world: { ...how, split } });
      const choice = { split, task: task.index, seed: 4 };
      const { json: reset } = await server.post("/reset", choice);
      const { session_id, messages, tools } = reset.observation;
      assert.equal(reset.observation.task_id, task.id);
      assert.equal(messages[0].role, "system");
      assert.equal(tools.length, dataset.tools.length);
      let last = reset;
      for (const { action, observation } of episode.turns) {
        const said = action.type === "respond" ? JSON.stringify(action) : `{
          "type": "call_tool",
          "tool_name": ${JSON.stringify(action.call.name)},
          "arguments": ${printPythonJson(action.call.arguments)},
          "content": ${JSON.stringify(action.content ?? "")}
        }`;
        const id = JSON.stringify(session_id);
        const body = `{"session_id": ${id}, "action": ${said}}`;
        last = (await server.post("/step", body)).json;
        assert.equal(last.observation?.content, observation.content);
      }
      assert.equal(last.done, true);
      assert.equal(last.observation.stop_reason, episode.stopReason);
      assert.equal(last.reward, episode.reward?.value);
    },
  });
}
