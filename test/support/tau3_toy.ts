/** Defines a small domain in τ³-bench's format: a shop with one item, and a user with a lamp. */

import { createDatabase } from "../../env/database.ts";
import { defineDomain } from "../../env/domain.ts";
import { defineBundleTool } from "../../env/domains/shared/toolkit/bundle_tool.ts";
import { registerDomain } from "../../env/domains/registry.ts";
import { ToolError } from "../../env/errors.ts";
import { sha256 } from "../../env/state_hash.ts";
import {
  loadTau3,
  type Tau3Bundle,
} from "../../env/benchmarks/tau3/load_bundle.ts";
import {
  type JsonObject,
  printPythonJson,
} from "../../env/python/python_json.ts";
import type { Database } from "../../env/database.ts";

function field(
  database: Database,
  [table, key]: readonly [string, string],
) {
  return database.get(table, "one")?.get(key) ?? null;
}

function set(
  database: Database,
  [table, key]: readonly [string, string],
  value: string | boolean,
): void {
  database.edit(table, "one")?.set(key, value);
}

/** The toy domain. The shop's database shows only after `sync` that the lamp is lit. */
export const toy = defineDomain({
  benchmark: "tau3",
  name: "toy",
  rowSchemas: new Map(),
  tools: [
    defineBundleTool({
      className: "ToyTools",
      name: "look",
      kind: "read",
      parameters: [],
      run: (database) => String(field(database, ["shop", "item"])),
    }),
    defineBundleTool({
      className: "ToyTools",
      name: "sell",
      kind: "write",
      parameters: ["item"],
      run(database, { item }) {
        if (item === "nothing") throw new ToolError("Nothing is no item");
        set(database, ["shop", "item"], String(item));
        return "sold";
      },
    }),
  ],
  bundle: {
    load({ agent, user }) {
      const row = (value: unknown) => new Map([["one", value as JsonObject]]);
      return {
        agent: createDatabase(new Map([["shop", row(agent)]])),
        user: createDatabase(new Map([["lamp", row(user)]])),
      };
    },
    hash: (database) =>
      sha256(
        database.tables.map((table) => database.sortedJson(table, "one") ?? ""),
      ),
    isSame: (left, right) => left.diff(right).length === 0,
    userTools: [
      defineBundleTool({
        className: "ToyUserTools",
        name: "press",
        kind: "write",
        parameters: [],
        run(database) {
          set(
            database,
            ["lamp", "lit"],
            field(database, ["lamp", "lit"]) !== true,
          );
          return field(database, ["lamp", "lit"]) === true
            ? "It is lit."
            : "It is dark.";
        },
      }),
    ],
    sync({ agent, user }) {
      if (user === undefined) return;
      const lit = field(user, ["lamp", "lit"]) === true;
      if (field(agent, ["shop", "lamp"]) !== lit) {
        set(agent, ["shop", "lamp"], lit);
      }
    },
    functions: {
      agent: {
        sold: (database, args) =>
          field(database, ["shop", "item"]) === args.get("item"),
      },
      user: {
        lit: (database) => field(database, ["lamp", "lit"]) === true,
        break_lamp: () => {
          throw new ToolError("It is broken already");
        },
        light: (database) => {
          set(database, ["lamp", "lit"], true);
          return undefined;
        },
      },
    },
  },
});

registerDomain(toy);

const INSTRUCTIONS = {
  domain: "toy",
  reason_for_call: "You want a cup.",
  known_info: null,
  unknown_info: null,
  task_instructions: "Light your lamp.",
};

/** A task in which the agent has to sell a cup and the user has to light the lamp. */
export const TOY_TASK = {
  id: "cup",
  user_scenario: { persona: null, instructions: INSTRUCTIONS },
  ticket: "Sell a cup.",
  initial_state: null,
  evaluation_criteria: {
    actions: [
      { action_id: "a", name: "sell", arguments: { item: "cup" } },
      { action_id: "b", requestor: "user", name: "press", arguments: {} },
    ],
    env_assertions: [
      { env_type: "assistant", func_name: "sold", arguments: { item: "cup" } },
      { env_type: "user", func_name: "lit", arguments: {} },
    ],
    communicate_info: ["1000"],
    nl_assertions: ["The agent is kind."],
    reward_basis: ["DB", "ENV_ASSERTION", "ACTION", "COMMUNICATE"],
  },
};

/** Prompt templates that are as short as possible. */
export const TOY_PROMPTS = {
  agent_instruction: "Serve.",
  agent_system: "<<agent_instruction>> <<policy>>",
  agent_gt_instruction: "Follow.",
  agent_gt_system: "<<agent_gt_instruction>> <<policy>>\n<<resolution_steps>>",
  gt_step_user_with_args: "Ask for <<call>>.",
  gt_step_user_without_args: "User: <<name>>.",
  gt_step_agent_with_args: "Do <<call>>.",
  gt_step_agent_without_args: "Agent: <<name>>.",
  agent_solo_instruction: "Alone.",
  agent_solo_system: "<<agent_solo_instruction>> <<policy>> <<ticket>>",
  telecom_policy: "<<main_policy>>|<<tech_support>>",
  user_system: "<<guidelines>>\n<<instructions>>",
  persona_minimal_verbosity: "Be terse.",
  user_instructions_lines: ["Domain: <<domain>>", "Why:\n<<reason_for_call>>"],
  judge_system: "Judge.",
  judge_user: "<<trajectory>>\n<<nl_assertions>>",
  first_agent_message: "Hi! How can I help you today?",
  user_stop_tokens: ["###STOP###"],
  solo_stop_token: "###STOP###",
};

/**
 * Writes the data of the toy domain.
 * @param tasks Default: {@linkcode TOY_TASK}.
 */
export async function writeToyBundle(
  dir: string,
  { tasks = [TOY_TASK], files = {} }: {
    tasks?: readonly unknown[];
    /** The texts of files to add or replace, keyed by their paths in the domain's folder; `null` omits a file. */
    files?: Readonly<Record<string, string | null>>;
  } = {},
): Promise<void> {
  const domain = "data/tau2/domains/toy";
  const guidelines = "data/tau2/user_simulator";
  const schema = (name: string, properties: Record<string, unknown>) => ({
    type: "function",
    function: {
      name,
      description: name,
      parameters: { type: "object", properties },
    },
  });
  const all: Record<string, string | null> = {
    [`${domain}/db.json`]: '{"item": "box", "lamp": false, "price": 1.0}',
    [`${domain}/user_db.toml`]: "lit = false\n",
    [`${domain}/policy.md`]: "Be kind.",
    [`${domain}/tasks.json`]: JSON.stringify(tasks),
    [`${domain}/split_tasks.json`]: JSON.stringify({ base: ["cup"], none: [] }),
    [`${guidelines}/simulation_guidelines.md`]: "Talk.<PERSONA_GUIDELINES>",
    [`${guidelines}/simulation_guidelines_tools.md`]: "Talk and press.",
    "prompts.json": JSON.stringify(TOY_PROMPTS),
    "tools/toy_agent.json": JSON.stringify([
      schema("look", {}),
      schema("sell", { item: { type: "string" } }),
    ]),
    "tools/toy_user.json": JSON.stringify([schema("press", {})]),
    ...Object.fromEntries(
      Object.entries(files).map(([name, text]) => [`${domain}/${name}`, text]),
    ),
  };
  for (const [name, text] of Object.entries(all)) {
    if (text === null) continue;
    const path = `${dir}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
}

/** Writes the data of the toy domain to a temporary directory, and reads it. */
export async function toyBundle(
  options: Parameters<typeof writeToyBundle>[1] = {},
): Promise<Tau3Bundle> {
  const dir = await Deno.makeTempDir();
  try {
    await writeToyBundle(dir, options);
    return await loadTau3(dir, "toy");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Returns a reply with one tool call. */
export function calling(
  name: string,
  args: Record<string, string> = {},
  content: string | null = null,
) {
  const call = {
    id: `call-${name}`,
    name,
    arguments: new Map(Object.entries(args)),
  };
  return { content, toolCalls: [call], cost: 0.5 };
}

/** Returns a reply with text. */
export function saying(content: string) {
  return { content, cost: 0.5 };
}

/** Formats an object as JSON in Python's style. */
export function jsonOf(object: JsonObject): string {
  return printPythonJson(object);
}
