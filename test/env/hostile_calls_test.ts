import assert from "node:assert/strict";
import { callTool } from "../../env/call_tool.ts";
import type { Database } from "../../env/database.ts";
import { diagnose } from "../../env/diagnosis/diagnose.ts";
import { domainNames, domainOf } from "../../env/domains/registry.ts";
import { createEnvironment } from "../../env/environment.ts";
import { ToolError } from "../../env/errors.ts";
import { generated } from "../../env/generated/generated.ts";
import { loadTauBench } from "../../env/benchmarks/tau/tau_bench.ts";
import { failureReason } from "../../env/failure_reason.ts";
import { goldOf } from "../../env/gold.ts";
import {
  parsePythonJson,
  printPythonJson,
} from "../../env/python/python_json.ts";
import { createRng } from "../../env/random.ts";
import { canonicalText } from "../../env/state_hash.ts";
import type { Dataset, ToolAction } from "../../env/types.ts";
import { trackUser } from "../../env/users/tracker.ts";
import { HostileCaller, type HostileWorld } from "../support/hostile_calls.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../support/tau_bench.ts";

import "../support/library_desk/register.ts";

const SEQUENCES = 200;
const CALLS = 8;
/**
 * The maximum number of attempts per position of a sequence. If a call does not change the state, another call is tried
 * at the same position.
 */
const TRIES = 5;
const SIZES = { trainTasks: 12, devTasks: 1, testTasks: 4 };

for (const name of domainNames(({ world }) => world !== undefined)) {
  const world = () => generated(3, SIZES, { domain: name });
  registerTests(`the generated world of ${name}`, { load: world });
}
for (const name of ["retail", "airline"]) {
  registerTests(`τ-bench's ${name}`, {
    load: () => loadTauBench(TAU_BENCH, name),
    ignore: NO_TAU_BENCH,
  });
}

function registerTests(
  name: string,
  { load, ignore = false }: {
    load: () => Promise<Dataset>;
    ignore?: boolean;
  },
): void {
  Deno.test({
    name: `callTool() answers any call of the tools of ${name}`,
    ignore,
    async fn() {
      const dataset = await load();
      const world = { dataset, domain: domainOf(dataset) };
      const before = dataset.database.fork().hash();
      const seen = { answers: 0, errors: 0, writes: 0 };
      for (let seed = 0; seed < SEQUENCES; seed++) {
        const database = dataset.database.fork();
        const calls = playSequence(world, { database, seed, seen });
        assert.deepEqual(replay(world, calls), stateOf(database));
      }
      assert.equal(dataset.database.fork().hash(), before);
      // The test would find nothing if all calls were rejected immediately.
      assert.ok(seen.answers > SEQUENCES, JSON.stringify(seen));
      assert.ok(seen.errors > SEQUENCES, JSON.stringify(seen));
      assert.ok(seen.writes > SEQUENCES, JSON.stringify(seen));
    },
  });

  Deno.test({
    name: `an episode of hostile calls in ${name} is scored and diagnosed`,
    ignore,
    async fn() {
      const dataset = await load();
      for (let seed = 0; seed < 15; seed++) await playEpisode(dataset, seed);
    },
  });
}

/**
 * Makes a sequence of calls in `database`, and checks every result. A call that changes nothing is usually replaced, so
 * most of the calls write. Counts the results of all calls, including replaced ones, by kind in `seen`.
 * @returns The calls, without the replaced ones.
 */
function playSequence(
  world: HostileWorld,
  { database, seed, seen }: {
    database: Database;
    seed: number;
    seen: Record<"answers" | "errors" | "writes", number>;
  },
): ToolAction[] {
  const caller = new HostileCaller(world, seed);
  const calls: ToolAction[] = [];
  for (let i = 0; i < CALLS; i++) {
    for (let tries = 0; tries < TRIES; tries++) {
      const call = caller.next(database);
      const after = database.fork();
      const answer = checkedAnswer(world, { database: after, call });
      seen[answer.startsWith("Error: ") ? "errors" : "answers"]++;
      if (after.diff(database).length === 0 && tries < TRIES - 1) continue;
      if (after.diff(database).length > 0) seen.writes++;
      callTool(world.domain, database, call);
      calls.push(call);
      break;
    }
  }
  return calls;
}

function checkedAnswer(
  world: HostileWorld,
  { database, call }: { database: Database; call: ToolAction },
): string {
  const sent = canonicalText(call.arguments);
  assertOnlyToolErrors(world, { database: database.fork(), call });
  const answer = callTool(world.domain, database, call);
  assert.equal(canonicalText(call.arguments), sent, "arguments are kept");
  return answer;
}

/**
 * Calls a tool, and fails if it throws anything but a `ToolError`, because a bug in a tool must not count as the
 * agent's mistake.
 */
function assertOnlyToolErrors(
  { domain }: HostileWorld,
  { database, call }: { database: Database; call: ToolAction },
): void {
  try {
    domain.tools.find(({ name }) => name === call.name)
      ?.call(database, call.arguments);
  } catch (error) {
    if (error instanceof ToolError) return;
    const args = printPythonJson(call.arguments);
    assert.fail(`${call.name}(${args.slice(0, 2000)}): ${error}`);
  }
}

function replay(
  { domain, dataset }: HostileWorld,
  calls: readonly ToolAction[],
): string {
  const database = dataset.database.fork();
  for (const call of calls) callTool(domain, database, call);
  return stateOf(database);
}

/** Returns the changes of a database in the form that is hashed. Fails if a changed row does not print as JSON. */
function stateOf(database: Database): string {
  for (const { table, id } of database.changes()) {
    parsePythonJson(database.print(table, id) ?? "null");
  }
  return database.changesText();
}

async function playEpisode(dataset: Dataset, seed: number): Promise<void> {
  const domain = domainOf(dataset);
  const tasks = dataset.splits.flatMap((split) => dataset.tasks(split));
  const task = createRng("episode", seed).pick(tasks);
  const user = { open: echo, reply: echo };
  const environment = createEnvironment({ dataset, task, user });
  const firstMessage = await environment.open();
  const caller = new HostileCaller({ dataset, domain }, `episode ${seed}`);
  for (let i = 0; i < CALLS; i++) {
    const call = { id: `c${i}`, ...caller.next(environment.database) };
    const { done } = await environment.step({ type: "tool", call });
    if (done) break;
  }
  const { turns, database } = environment;
  const reward = environment.reward();
  const gold = goldOf(dataset, task);
  const stopReason = "user_stop" as const;
  const reason = failureReason({ reward, stopReason, database, gold });
  assert.equal(reason === null, reward.value === 1);
  const findings = trackUser({
    domain,
    task,
    database: dataset.database,
    firstMessage,
    turns,
  });
  const diagnosis = diagnose({ turns, stopReason }, {
    dataset,
    task,
    findings,
  });
  assert.equal(diagnosis.fault === null, reward.value === 1);
}

function echo(): Promise<string> {
  return Promise.resolve("Please go on.");
}
