/**
 * Tests an environment server with the rollout collection of NeMo Gym from PyPI: its `gymnasium_agent`, and its
 * `vllm_model` in front of a scripted model server.
 */

import assert from "node:assert/strict";
import { parse } from "yaml";
import { expertAgent } from "../../../../env/agents/expert.ts";
import { toolCallingAgent } from "../../../../env/agents/tool_calling.ts";
import { InfrastructureError } from "../../../../env/errors.ts";
import { printPythonJson } from "../../../../env/python/python_json.ts";
import { rollout } from "../../../../env/rollout.ts";
import type { Agent, Episode, Turn } from "../../../../env/types.ts";
import { scriptedUser } from "../../../../env/users/scripted.ts";
import { askPython } from "../../../support/ask_python.ts";
import { answeringModel } from "../../../support/chat_models.ts";
import { blocksOf, readDocuments } from "../../../support/documents.ts";
import {
  environmentServer,
  SERVED_DATASET,
} from "../../../support/environment_server.ts";
import { modelServer } from "../../../support/model_server.ts";
import { clientPython } from "../../../support/python.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const TASKS = SERVED_DATASET.tasks("train");
const TOKEN = "secret";

/** The result of a rollout, as NeMo Gym writes it to its files. */
interface Rollout {
  readonly _ng_task_index: number;
  readonly _ng_rollout_index: number;
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
  readonly info: Record<string, unknown>;
  // deno-lint-ignore no-explicit-any -- items of several types
  readonly response: { readonly output: any[] };
  readonly responses_create_params: {
    readonly input: { role: string; content: string }[];
  };
}

interface Collected {
  readonly error: string | null;
  readonly rollouts: Rollout[];
  readonly failures: Record<string, unknown>[];
  readonly metrics: Record<string, Record<string, unknown>>[] | null;
}

/** Plays each task with the expert. In the last task, the agent transfers the user to a human at once instead. */
async function ourEpisodes(): Promise<Episode[]> {
  const call = {
    id: "c",
    name: "transfer_to_human_agents",
    arguments: new Map([["summary", "no"]]),
  };
  const quitter = toolCallingAgent({
    model: answeringModel(() => ({ toolCalls: [call] })),
  });
  const play = (agent: Agent, index: number) =>
    rollout({
      ...{ dataset: SERVED_DATASET, task: TASKS[index]!, seed: 1, agent },
      user: scriptedUser(SERVED_DATASET),
    });
  return await Promise.all(
    TASKS.map(({ index }, at) =>
      play(at === TASKS.length - 1 ? quitter : expertAgent(), index)
    ),
  );
}

/** Groups the turns of an episode into answers of a model. Consecutive calls belong to the same answer. */
function answersOf({ turns }: Episode): Turn[][] {
  const answers: Turn[][] = [];
  for (const turn of turns) {
    const last = answers.at(-1);
    if (turn.action.type === "tool" && last?.[0]?.action.type === "tool") {
      last.push(turn);
    } else answers.push([turn]);
  }
  return answers;
}

function firstMessage({ messages }: Episode): string {
  return messages.find(({ role }) => role === "user")!.content;
}

/**
 * Starts a model server that replays the answers of the given episodes. It recognizes an episode by the user's first
 * message.
 */
function scriptedModel(episodes: readonly Episode[]) {
  const scripts = new Map(
    episodes.map((episode) => [firstMessage(episode), answersOf(episode)]),
  );
  return modelServer({
    answer({ body: { messages } }) {
      const of = (role: string) =>
        messages.filter((message: { role: string }) => message.role === role);
      const [{ content }] = of("user");
      const opening = typeof content === "string" ? content : content[0].text;
      const at = of("assistant").length;
      const answer = scripts.get(opening)?.[at];
      if (answer === undefined) return new Response("lost", { status: 400 });
      const calls = answer.flatMap(({ action }, i) =>
        action.type === "respond" ? [] : [{
          id: `call_${at}_${i}`,
          type: "function",
          function: {
            name: action.call.name,
            arguments: printPythonJson(action.call.arguments),
          },
        }]
      );
      const said = answer[0]!.action.content ?? "";
      return {
        ...{ id: "chatcmpl-1", object: "chat.completion", created: 1 },
        model: "scripted",
        choices: [{
          index: 0,
          message: {
            ...{ role: "assistant", content: said },
            ...(calls.length === 0 ? {} : { tool_calls: calls }),
          },
          finish_reason: calls.length === 0 ? "stop" : "tool_calls",
        }],
        usage: { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 },
      };
    },
  });
}

/** Returns the items that NeMo Gym's agent appends to the prompt during an episode. */
function transcriptOf(episode: Episode): unknown[] {
  const answers = answersOf(episode);
  return answers.flatMap((answer, at) => {
    const ended = at === answers.length - 1;
    const [{ action, observation }] = answer as [Turn];
    if (action.type === "respond") {
      return [
        ["assistant", action.content],
        ...(ended ? [] : [["user", observation.content]]),
      ];
    }
    const calls = answer.map(({ action }, i) => {
      assert.equal(action.type, "tool");
      const { name, arguments: args } = action.call;
      return ["call", `call_${at}_${i}`, name, printPythonJson(args)];
    });
    const outputs = answer.map(({ observation: { content } }, i) => [
      ...["output", `call_${at}_${i}`, content],
    ]);
    return [...calls, ...(ended ? [] : outputs)];
  });
}

function transcriptIn({ response: { output } }: Rollout): unknown[] {
  return output.map((item) => {
    switch (item.type) {
      case "function_call":
        return ["call", item.call_id, item.name, item.arguments];
      case "function_call_output":
        return ["output", item.call_id, item.output];
      default: {
        const { role, content } = item;
        const text = typeof content === "string" ? content : content
          .map((part: { text: string }) => part.text).join("");
        return [role, text];
      }
    }
  });
}

/** Reads the config in env/serve/README.md, and replaces the address and the token of the server. */
async function readmeConfig(url: string, token: string) {
  const readme = (await readDocuments())
    .find(({ path }) => path === "env/serve/README.md")!;
  const config = blocksOf(readme, "yaml").map((block) => parse(block))
    .find((block) => "taulab" in block);
  const server = config.taulab.resources_servers.taulab;
  server.host = `any:${token}@127.0.0.1`;
  server.port = Number(new URL(url).port);
  return config;
}

/** Rollout results of every kind that `/aggregate_metrics` distinguishes. */
const RESULTS = [
  { _ng_task_index: 1, _ng_rollout_index: 1, reward: 0, terminated: false },
  {
    ...{ _ng_task_index: 1, _ng_rollout_index: 0, reward: 1, terminated: true },
    response: { usage: { input_tokens: 10, output_tokens: 3 } },
  },
  {
    ...{ _ng_task_index: 0, _ng_rollout_index: 0, reward: 0.25, speed: 2.5 },
    info: { stop_reason: "user_stop" },
  },
];
const MASKED = { ...RESULTS[0]!, _ng_task_index: 2, mask_sample: true };

Deno.test({
  name:
    "NeMo Gym collects the rows' rollouts with its agent: transcripts and rewards equal ours, truncated rollouts score 0, a failing user leaves no reward, and metrics are aggregated (needs nemo-gym)",
  ignore: clientPython("nemo-gym") === undefined,
  fn: () =>
    inTempDir(async (dir) => {
      const user = scriptedUser(SERVED_DATASET);
      const failure = new InfrastructureError("its endpoint is down", {
        kind: "server_error",
        source: "user",
      });
      const failingUser = Object.assign(
        (...args: Parameters<typeof user>) => ({
          ...user(...args),
          open: () => user(...args).open(),
          reply: () => Promise.reject(failure),
        }),
        { label: "failing" },
      );
      await using server = environmentServer({ app: { token: TOKEN } });
      await using failing = environmentServer({ world: { user: failingUser } });
      const episodes = await ourEpisodes();
      const rewards = episodes.map(({ reward }) => reward!.value);
      assert.deepEqual(rewards, [1, 1, 1, 0]);
      assert.ok(answersOf(episodes[0]!).some((answer) => answer.length > 1));
      await using model = scriptedModel(episodes);
      const listed = await fetch(`${server.url}/nemo-gym/rows`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      const rows = (await listed.text()).trim().split("\n")
        .map((line) => JSON.parse(line));

      const config = await readmeConfig(server.url, TOKEN);
      const agentWith = (settings: object) => ({
        responses_api_agents: {
          gymnasium_agent: {
            ...config.gymnasium_agent.responses_api_agents.gymnasium_agent,
            ...settings,
          },
        },
      });
      const port = Number(new URL(failing.url).port);
      const broken = { entrypoint: "app.py", domain: "agent" };
      const asked = {
        dir,
        config: {
          ...config,
          short_agent: agentWith({ max_steps: 2 }),
          broken: {
            resources_servers: {
              taulab: { ...broken, host: "127.0.0.1", port },
            },
          },
          broken_agent: agentWith({
            resources_server: { type: "resources_servers", name: "broken" },
          }),
          policy_model: {
            responses_api_models: {
              vllm_model: {
                ...{ entrypoint: "app.py", base_url: `${model.url}/v1` },
                ...{ api_key: "none", model: "scripted" },
                return_token_id_information: false,
                uses_reasoning_parser: true,
              },
            },
          },
          // Adds the rollout to the paths of requests.
          observability_enabled: true,
          model_call_capture_dir: `${dir}/calls`,
        },
        cases: {
          all: { rows, settings: { num_repeats: 2 } },
          short: { rows: [rows[0]], settings: { agent_name: "short_agent" } },
          failing: {
            rows: [rows[0]],
            settings: {
              agent_name: "broken_agent",
              route_failures_to_sidecar: true,
            },
          },
        },
        aggregated: [[], RESULTS, [...RESULTS, MASKED], [MASKED]],
      };
      const { cases, aggregated } = await askPython(
        "play_nemo_gym.py",
        JSON.stringify(asked),
        { python: clientPython("nemo-gym")! },
      ) as {
        cases: Record<"all" | "short" | "failing", Collected>;
        aggregated: Record<string, unknown>[];
      };

      const { all, short } = cases;
      assert.equal(all.error, null);
      assert.equal(all.failures.length, 0);
      assert.equal(all.rollouts.length, 2 * TASKS.length);
      for (const one of all.rollouts) {
        const episode = episodes[one._ng_task_index]!;
        assert.deepEqual(transcriptIn(one), transcriptOf(episode));
        assert.equal(one.reward, episode.reward!.value);
        assert.deepEqual([one.terminated, one.truncated], [true, false]);
        assert.equal(one.info.stop_reason, episode.stopReason);
        const { input } = one.responses_create_params;
        assert.deepEqual(
          input.map(({ role, content }) => [role, content]),
          episode.messages.slice(0, 2)
            .map(({ role, content }) => [role, content]),
        );
      }
      const [metrics] = all.metrics!;
      assert.equal(metrics!.key_metrics!["mean/reward"], 0.75);
      assert.equal(metrics!.key_metrics!["mean/terminated"], 1);
      assert.equal(metrics!.agent_metrics!.num_repeats, 2);

      const [cut] = short.rollouts;
      assert.deepEqual([cut!.reward, cut!.truncated], [0, true]);
      assert.deepEqual(
        [cases.failing.rollouts.length, cases.failing.failures.length],
        [0, 1],
      );
      assert.match(cases.failing.error!, /None of the 1 dispatched rollouts/);
      assert.match(
        JSON.stringify(cases.failing.failures),
        /The user failed .server_error.: its endpoint is down/,
      );
      for (const { sessions } of [server, failing]) {
        assert.equal(sessions.size, 0, "the agent closes its sessions");
      }
      assert.equal(server.sessions.metrics.counts.ended, all.rollouts.length);

      for (const [i, verify_responses] of asked.aggregated.entries()) {
        const { json } = await server.post("/aggregate_metrics", {
          verify_responses,
        }, { authorization: `Bearer ${TOKEN}` });
        const theirs = aggregated[i]!;
        for (const name of Object.keys(json)) {
          if (name === "repeat_level_metrics") continue;
          assert.deepEqual(json[name], withoutRepeats(theirs[name]), name);
        }
      }
    }),
});

/** Removes the statistics across repeats, which taulab's server does not compute. */
function withoutRepeats(metrics: unknown): unknown {
  if (Array.isArray(metrics)) return metrics;
  return Object.fromEntries(
    Object.entries(metrics as object)
      .filter(([name]) => !name.includes("_across_repeats/")),
  );
}
