/** Lists test cases for the doctor's checks of the training data: rows, batches, the user and the base model. */

import { join } from "node:path";
import type { CheckContext } from "../../../../../train/slime/doctor/check.ts";
import {
  checkContext,
  slimeOf,
  writeEvaluation,
} from "../../../../support/doctor.ts";
import { chatAnswer, modelServer } from "../../../../support/model_server.ts";
import type { Case } from "./_case.ts";

function withUser(
  url: string,
  sets: readonly string[] = [],
): CheckContext {
  return checkContext(slimeOf([
    "user.strategy=llm",
    "user.endpoint.provider=vllm",
    "user.endpoint.model=some/model",
    `user.endpoint.baseUrl=${url}/v1`,
    ...sets,
  ]));
}

function userServer(
  held: AsyncDisposableStack,
  headers: Record<string, string> = {},
  status = 200,
) {
  return held.use(modelServer({
    answer: () =>
      Response.json(
        status === 200
          ? chatAnswer("Hi, my desk is broken.")
          : { error: "slow down" },
        { status, headers },
      ),
  }));
}

async function evaluated(
  dir: string,
  counts: { solved: number; scored: number },
  sets: readonly string[] = [],
): Promise<CheckContext> {
  await writeEvaluation(join(dir, "base"), counts);
  const config = slimeOf(["model.name=Qwen3-0.6B", ...sets]);
  return checkContext(config, { runs: dir });
}

async function rowFile(dir: string, lines: readonly unknown[]) {
  const path = join(dir, "rows.jsonl");
  const text = lines.map((line) =>
    typeof line === "string" ? line : JSON.stringify(line)
  );
  await Deno.writeTextFile(path, text.join("\n") + "\n");
  return checkContext(
    slimeOf(["rollout.batchSize=8", "rollout.globalBatchSize=64"]),
    {
      rowFiles: [path],
    },
  );
}

function row(index: number, metadata: Record<string, unknown> = {}) {
  const prompt = [{ role: "user", content: `${index}` }];
  return {
    index,
    prompt,
    metadata: { split: "train", env: "retail", ...metadata },
  };
}

const EIGHT = Array.from({ length: 8 }, (_, i) => row(i));

/** The test cases for the checks of the training data. */
export const CASES: readonly Case[] = [
  {
    check: "rows",
    state: "pass",
    name: "the rows of a launch",
    says:
      /retail_train_tasks.jsonl: 40 rows of train|share no tasks|4 rows of dev/,
    world: () => checkContext(slimeOf()),
  },
  {
    check: "rows",
    state: "pass",
    name: "a file of rows",
    says: /rows.jsonl: 8 rows of train|share no tasks/,
    world: (_, dir) => rowFile(dir, EIGHT),
  },
  {
    check: "rows",
    state: "fail",
    name: "a truncated line",
    says: /rows.jsonl:9: the row is not JSON/,
    fix: /deno task mock --rows-format split/,
    world: (_, dir) => rowFile(dir, [...EIGHT, '{"index": 8, "meta']),
  },
  {
    check: "rows",
    state: "fail",
    name: "a row without a split, as the example writes them",
    says: /rows.jsonl:9: "metadata.split" is missing or invalid/,
    fix: /deno task mock --rows-format split/,
    world: (_, dir) => rowFile(dir, [...EIGHT, { ...row(8), metadata: {} }]),
  },
  {
    check: "rows",
    state: "fail",
    name: "a row without its message, as older rows have it",
    says: /rows.jsonl:9: "prompt" is missing or invalid/,
    fix: /deno task mock --rows-format split/,
    world: (_, dir) =>
      rowFile(dir, [...EIGHT, { ...row(8), prompt: undefined }]),
  },
  {
    check: "rows",
    state: "fail",
    name: "a message of another task",
    says: /rows.jsonl:9: the row's prompt is "7", but its index is 8/,
    fix: /deno task mock --rows-format split/,
    world: (_, dir) =>
      rowFile(dir, [...EIGHT, { ...row(8), prompt: row(7).prompt }]),
  },
  {
    check: "rows",
    state: "fail",
    name: "an index beyond the last task",
    says: /rows.jsonl:9: index 40 is out of range: train has 40 tasks/,
    fix: /deno task mock/,
    world: (_, dir) => rowFile(dir, [...EIGHT, row(40)]),
  },
  {
    check: "rows",
    state: "fail",
    name: "a row of another dataset",
    says: /rows.jsonl:9: the row differs from task 8 of train in this dataset/,
    fix: /deno task mock/,
    world: (_, dir) =>
      rowFile(dir, [...EIGHT, row(8, { instruction: "You are another." })]),
  },
  {
    check: "rows",
    state: "fail",
    name: "a row of another world",
    says: /the row is for airline, but the recipe is for retail/,
    fix: /deno task mock/,
    world: (_, dir) => rowFile(dir, [...EIGHT, row(8, { env: "airline" })]),
  },
  {
    check: "rows",
    state: "fail",
    name: "two splits in one file",
    says: /mixes the splits train, dev/,
    fix: /one file per split with "deno task mock/,
    world: (_, dir) => rowFile(dir, [...EIGHT, row(0, { split: "dev" })]),
  },
  {
    check: "rows",
    state: "fail",
    name: "fewer rows than are sampled at a time",
    says: /has 7 rows, but 8 are sampled at a time/,
    fix: /lower rollout.overSamplingBatchSize/,
    world: (_, dir) => rowFile(dir, EIGHT.slice(1)),
  },
  {
    check: "rows",
    state: "warn",
    name: "a task that occurs twice",
    says: /rows.jsonl:9: task 3 occurs twice/,
    fix: /one row per task/,
    world: (_, dir) => rowFile(dir, [...EIGHT, row(3)]),
  },
  {
    check: "rows",
    state: "fail",
    name: "a missing file",
    says: /Cannot read the rows in "no\/such.jsonl": /,
    fix: /deno task mock/,
    world: () => checkContext(slimeOf(), { rowFiles: ["no/such.jsonl"] }),
  },
  {
    check: "batch",
    state: "pass",
    name: "consistent numbers",
    says:
      /GPUs: 2, engines: 2, data parallel: 1; per rollout, samples: 256, optimizer/,
    world: () => checkContext(slimeOf()),
  },
  {
    check: "batch",
    state: "fail",
    name: "more prompts than rows",
    says: /40/,
    fix: /./,
    world: () =>
      checkContext(
        slimeOf(["rollout.batchSize=64", "rollout.globalBatchSize=512"]),
      ),
  },
  {
    check: "user",
    state: "pass",
    name: "a scripted user",
    says: /the scripted user needs no endpoint/,
    world: () => checkContext(slimeOf()),
  },
  {
    check: "user",
    state: "pass",
    name: "an endpoint whose limits exceed the run's calls",
    says:
      /llm some\/model answers within .*; concurrent episodes: \d+, calls per minute: about \d+, and the endpoint allows 100000/,
    world: (held) =>
      withUser(
        userServer(held, { "x-ratelimit-limit-requests": "100000" }).url,
      ),
  },
  {
    check: "user",
    state: "fail",
    name: "an endpoint that allows fewer calls than the run makes",
    says: /calls per minute, but the endpoint allows 60: it would reject/,
    fix: /requestsPerMinute to 60/,
    world: (held) =>
      withUser(
        userServer(held, { "x-ratelimit-limit-requests": "60" }).url,
      ),
  },
  {
    check: "user",
    state: "warn",
    name: "a recipe whose calls exceed the endpoint's limits",
    says: /allows 100000 calls per minute .* allows 60/,
    fix: /requestsPerMinute to 60/,
    world: (held) =>
      withUser(
        userServer(held, { "x-ratelimit-limit-requests": "60" }).url,
        [
          "user.endpoint.calls.requestsPerMinute=100000",
        ],
      ),
  },
  {
    check: "user",
    state: "warn",
    name: "a recipe that makes sampling wait",
    says: /requestsPerMinute allows 30.* a rollout takes at least \d+ min$/,
    fix: /lower engine.concurrency/,
    world: (held) =>
      withUser(userServer(held).url, [
        "user.endpoint.calls.requestsPerMinute=30",
      ]),
  },
  {
    check: "user",
    state: "warn",
    name: "an endpoint that allows too few tokens",
    says: /tokens per minute, but the endpoint allows 1000/,
    fix: /raise the key's quota/,
    world: (held) =>
      withUser(
        userServer(held, { "x-ratelimit-limit-tokens": "1000" }).url,
      ),
  },
  {
    check: "user",
    state: "fail",
    name: "a 429 for the first call",
    says: /a single call exceeds the rate limit \(429\)/,
    fix: /raise its quota/,
    world: (held) => withUser(userServer(held, {}, 429).url),
  },
  {
    check: "user",
    state: "fail",
    name: "a budget in dollars without a price",
    says: /Cannot enforce --max-cost: "some\/model" has no price/,
    fix: /prices|limit the run/,
    world: (held) => withUser(userServer(held).url, ["budget.maxCost=1"]),
  },
  {
    check: "user",
    state: "fail",
    name: "no server",
    says: /Cannot use .*some\/model/,
    fix: /start the server/,
    world: () => withUser("http://127.0.0.1:1"),
  },
  {
    check: "user",
    state: "fail",
    name: "a user who says nothing",
    says: /user's model returned an empty answer/,
    fix: /another model or strategy/,
    world: (held) =>
      withUser(held.use(modelServer({ answer: () => chatAnswer("") })).url),
  },
  {
    check: "base-rate",
    state: "pass",
    name: "a base model that solves some but not all tasks",
    says:
      /solves 10 of 40 episodes in .*base: at most 90% of groups of 8 have differing rewards/,
    world: (_, dir) => evaluated(dir, { solved: 10, scored: 40 }),
  },
  {
    check: "base-rate",
    state: "fail",
    name:
      "a base model that solves nothing, with a filter that has no fallback",
    says:
      /solves 0 of 40 .*with rollout.filter generate.keep_group a rollout would never end/,
    fix: /a model that solves some/,
    world: (_, dir) =>
      evaluated(dir, { solved: 0, scored: 40 }, ["rollout.filterRounds=null"]),
  },
  {
    check: "base-rate",
    state: "fail",
    name: "a base model that solves everything",
    says: /solves 40 of 40/,
    fix: /harder tasks/,
    world: (_, dir) =>
      evaluated(dir, { solved: 40, scored: 40 }, ["rollout.filterRounds=null"]),
  },
  {
    check: "base-rate",
    state: "warn",
    name: "a base model that solves nothing, with a filter that has a fallback",
    says: /solves 0 of 40 .*no group would contribute/,
    fix: /a model that solves some/,
    world: (_, dir) => evaluated(dir, { solved: 0, scored: 40 }),
  },
  {
    check: "base-rate",
    state: "warn",
    name: "a base model that solves nothing, without a filter",
    says: /no group would contribute/,
    fix: /a model that solves some/,
    world: (_, dir) =>
      evaluated(dir, { solved: 0, scored: 40 }, ["rollout.filter=null"]),
  },
  {
    check: "base-rate",
    state: "warn",
    name: "a base model that solves none of too few episodes",
    says: /0 of 5 .* too few to judge/,
    fix: /deno task evaluate .*--model Qwen3-0.6B/,
    world: (_, dir) => evaluated(dir, { solved: 0, scored: 5 }),
  },
  {
    check: "base-rate",
    state: "warn",
    name:
      "a base model that solves very few tasks, with a filter that has no fallback",
    says:
      /at most 8% of groups of 8 have differing.* samples at least 415 groups to keep 32/,
    fix: /raise rollout.groupSize/,
    world: (_, dir) =>
      evaluated(dir, { solved: 1, scored: 100 }, [
        "rollout.filterRounds=null",
      ]),
  },
  {
    check: "base-rate",
    state: "warn",
    name:
      "a base model that solves very few tasks, with a filter that has a fallback",
    says: /most of the 32 groups of a rollout would contribute nothing/,
    fix: /rollout\.filterRounds/,
    world: (_, dir) => evaluated(dir, { solved: 1, scored: 100 }),
  },
  {
    check: "base-rate",
    state: "warn",
    name: "no evaluation",
    says: /the solve rate of Qwen3-4B before training has not been measured/,
    fix: /deno task evaluate --data generated --env retail --split train/,
    world: (_, dir) => checkContext(slimeOf(), { runs: dir }),
  },
];
