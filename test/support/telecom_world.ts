/**
 * Provides telecom's data and recordings, and a world without a conversation, for tests of the tools, the user and the
 * expert.
 */

import { gunzipSync } from "node:zlib";
import type { Databases, Domain, Side } from "../../env/domain.ts";
import { telecom } from "../../env/domains/telecom/domain.ts";
import { callBundle } from "../../env/domains/shared/toolkit/bundle_call.ts";
import {
  type JsonObject,
  type JsonValue,
  parsePythonJson,
} from "../../env/python/python_json.ts";
import { parseToml } from "../../env/python/toml.ts";
import { TAU3_BENCH } from "./tau3_bench.ts";

const DATA = `${TAU3_BENCH}/data/tau2/domains/telecom`;

/** Returns the databases of the agent and the user in their initial states. */
export function telecomDatabases(): Databases {
  const [agent, user] = ["db", "user_db"].map((name) =>
    parseToml(Deno.readTextFileSync(`${DATA}/${name}.toml`))
  );
  return telecom.bundle.load({ agent: agent!, user: user! });
}

/** Returns all tasks as they are in the benchmark's file. */
export function telecomTasks(): JsonObject[] {
  return parsePythonJson(unpacked(`${DATA}/tasks.json.gz`)) as JsonObject[];
}

/** Returns the ids of the tasks in a split. */
export function telecomSplit(name: string): ReadonlySet<string> {
  const splits = parsePythonJson(
    Deno.readTextFileSync(`${DATA}/split_tasks.json`),
  ) as JsonObject;
  return new Set(splits.get(name) as string[]);
}

function unpacked(path: string): string {
  return new TextDecoder().decode(gunzipSync(Deno.readFileSync(path)));
}

/** Returns a nested value, as in `at(task, "initial_state", "initialization_actions")`; `null` if it is missing. */
export function at(value: JsonValue, ...path: readonly string[]): JsonValue {
  let inner = value;
  for (const key of path) {
    inner = inner instanceof Map ? inner.get(key) ?? null : null;
  }
  return inner;
}

/** Returns the objects in a nested list; an empty list if the list is missing. */
export function objectsAt(
  value: JsonValue,
  ...path: readonly string[]
): JsonObject[] {
  const list = at(value, ...path);
  return Array.isArray(list) ? list.filter((one) => one instanceof Map) : [];
}

/** A telecom world that tests can change. It has its own copy of both databases. */
export class TelecomWorld {
  readonly databases: Required<Databases>;
  readonly #solo: boolean;

  constructor(base: Databases, { solo = false } = {}) {
    this.databases = { agent: base.agent.fork(), user: base.user!.fork() };
    this.#solo = solo;
    this.#sync();
  }

  /** Runs initial actions in the format of tasks and recordings. */
  setUp(actions: readonly JsonObject[]): this {
    for (const action of actions) this.run(action);
    this.#sync();
    return this;
  }

  /**
   * Runs a function of the benchmark's environment, then syncs the databases.
   * @returns The result of the function if it is a check; otherwise `undefined`.
   */
  run(action: JsonObject): boolean | undefined {
    const side: Side = action.get("env_type") === "user" ? "user" : "agent";
    const name = String(action.get("func_name"));
    const run = telecom.bundle.functions[side][name]!;
    const result = run(
      this.databases[side],
      action.get("arguments") as JsonObject,
    );
    this.#sync();
    return result;
  }

  call(requestor: Side, name: string, args: JsonObject = new Map()) {
    return callBundle(
      telecom as Domain,
      this.databases,
      { requestor, name, arguments: args },
      { solo: this.#solo },
    );
  }

  /** Returns the hashes of both databases under the names that recordings use. */
  hashes(): { db: string; user_db: string } {
    const { hash } = telecom.bundle;
    return {
      db: hash(this.databases.agent, "agent"),
      user_db: hash(this.databases.user, "user"),
    };
  }

  #sync(): void {
    telecom.bundle.sync(this.databases);
  }
}
