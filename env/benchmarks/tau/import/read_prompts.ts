/** Extracts the prompts of τ-bench's agents and users from their Python source. */

import { DataError } from "../../../errors.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { evaluate } from "../../python_source/literal_value.ts";
import {
  assignments,
  bodyOf,
  definition,
  type PythonModules,
} from "../../python_source/python_modules.ts";
import {
  children,
  descendants,
  type Node,
  type PythonSource,
  textOf,
  unreadable,
} from "../../python_source/syntax_tree.ts";

/** The explanation of placeholders that is included in `prompts.json`. */
const FORMAT =
  "Placeholders are written <<name>> and filled in literally, in one pass; everything else is literal text.";

/**
 * Reads the prompts from the Python source and returns them in the format of `prompts.json`.
 * @throws {DataError} If a prompt is missing or cannot be read; the message names the file.
 */
export async function importPrompts(
  modules: PythonModules,
  root: string,
): Promise<JsonObject> {
  const user = await modules.source(`${root}/tau_bench/envs/user.py`);
  const react = await modules.source(
    `${root}/tau_bench/agents/chat_react_agent.py`,
  );
  const calling = await modules.source(
    `${root}/tau_bench/agents/tool_calling_agent.py`,
  );
  const few = await modules.source(
    `${root}/tau_bench/agents/few_shot_agent.py`,
  );
  const env = await modules.source(`${root}/tau_bench/envs/base.py`);
  const prompts: [string, JsonValue][] = [
    ["_format", new Map([["placeholders", FORMAT]])],
    ...userPrompts(user),
    ["stop_token", stopToken(env)],
    [
      "agent_react_instruction",
      await modules.constant(react, "REACT_INSTRUCTION"),
    ],
    ["agent_act_instruction", await modules.constant(react, "ACT_INSTRUCTION")],
    ...textAgentPrompts(react),
    ["agent_tool_calling_system", systemMessage(calling, "ToolCallingAgent")],
    ["agent_few_shot_system", systemMessage(few, "FewShotToolCallingAgent")],
    ["defaults", defaults({ user, react, few })],
  ];
  return new Map(prompts);
}

function userPrompts(source: PythonSource): [string, JsonValue][] {
  const names = {
    instruction_display: "<<instruction_display>>",
    instruction: "<<instruction>>",
    transcript: "<<transcript>>",
    response: "<<response>>",
  };
  const system = (className: string) => {
    const build = method(source, className, "build_system_prompt");
    return known(source, returned(source, build), names);
  };
  const plain = "LLMUserSimulationEnv";
  const display = assigned(
    source,
    method(source, plain, "build_system_prompt"),
    "instruction_display",
  );
  return [
    ["user_llm_system", system(plain)],
    ["user_react_system", system("ReactUserSimulationEnv")],
    [
      "user_instruction_display",
      known(source, thenBranch(display), names),
    ],
    [
      "user_verify",
      known(
        source,
        assigned(source, functionNamed(source, "verify"), "prompt"),
        names,
      ),
    ],
    [
      "user_reflect",
      known(
        source,
        assigned(source, functionNamed(source, "reflect"), "prompt"),
        names,
      ),
    ],
    ["role_labels", roleLabels(source)],
    ["first_agent_message", openingMessage(source)],
  ];
}

/**
 * Returns the expression `a` of `a if condition else b`, without the parentheses around it. Any other expression is
 * returned without its parentheses.
 */
function thenBranch(node: Node): Node {
  if (node.name === "ParenthesizedExpression") {
    const inner = children(node).find(({ name }) => !/^[()]$/.test(name));
    return inner === undefined ? node : thenBranch(inner);
  }
  return node.name === "ConditionalExpression"
    ? thenBranch(children(node)[0]!)
    : node;
}

/** Reads the label of each role from code such as `if role == "user": return "Customer"`. */
function roleLabels(source: PythonSource): JsonObject {
  const body = bodyOf(functionNamed(source, "map_role_label"));
  const labels: JsonObject = new Map();
  const returns = [...descendants(body, "ReturnStatement")];
  let next = 0;
  for (const comparison of descendants(body, "BinaryExpression")) {
    const [, , role] = children(comparison);
    while ((returns[next]?.from ?? Infinity) <= comparison.to) next++;
    const statement = returns[next];
    const label = statement && children(statement)[1];
    if (role?.name === "String" && label?.name === "String") {
      labels.set(String(evaluate(source, role)), evaluate(source, label));
    }
  }
  if (labels.size > 0) return labels;
  throw unreadable(source, body, "there are no role labels");
}

/** Reads the first message after the system prompt in a simulated user's conversation. */
function openingMessage(source: PythonSource): JsonValue {
  const reset = method(source, "LLMUserSimulationEnv", "reset");
  for (const dictionary of descendants(reset, "DictionaryExpression")) {
    const members = dictionaryOf(source, dictionary);
    if (members.get("role") === "user") return members.get("content") ?? null;
  }
  throw unreadable(source, reset, "there is no first message");
}

const TEXT_AGENT_NAMES: Readonly<Record<string, string>> = {
  wiki: "<<wiki>>",
  tools_info: "<<tools_info>>",
  instruction: "<<agent_instruction>>",
};

function textAgentPrompts(source: PythonSource): [string, JsonValue][] {
  const init = method(source, "ChatReActAgent", "__init__");
  const prompt = evaluate(source, assigned(source, init, "self.prompt"), {
    name: (name) => TEXT_AGENT_NAMES[name],
    call: (callee) => callee === "json.dumps" ? "<<tools_json>>" : undefined,
  });
  const solve = method(source, "ChatReActAgent", "solve");
  const prefixed = assigned(source, solve, "obs", "BinaryExpression");
  const step = method(source, "ChatReActAgent", "generate_next_step");
  return [
    ["agent_text_system", prompt],
    ["agent_text_observation_prefix", evaluate(source, children(prefixed)[0]!)],
    ["agent_text_action_marker", splitMarker(source, step)],
  ];
}

/** Reads the separator in `….split("Action:")`. */
function splitMarker(source: PythonSource, within: Node): JsonValue {
  for (const call of descendants(within, "CallExpression")) {
    const [callee, list] = children(call);
    if (callee && list && textOf(source, callee).endsWith(".split")) {
      return evaluate(source, children(list)[1]!);
    }
  }
  throw unreadable(source, within, "there is no action marker");
}

/** Reads the content of the system message in an agent's `solve` method. */
function systemMessage(source: PythonSource, className: string): JsonValue {
  const solve = method(source, className, "solve");
  for (const dictionary of descendants(solve, "DictionaryExpression")) {
    const members = dictionaryOf(source, dictionary);
    if (members.get("role") === "system") return members.get("content") ?? null;
  }
  throw unreadable(source, solve, "there is no system message");
}

/**
 * Evaluates a dictionary of constants and known names. Returns an empty object if the dictionary contains anything
 * else.
 */
function dictionaryOf(source: PythonSource, node: Node): JsonObject {
  try {
    return evaluate(source, node, {
      name: (name) =>
        ({ "self.wiki": "<<wiki>>", few_shots: "<<few_shot_examples>>" })[name],
      call: (callee) =>
        callee === "self.build_system_prompt" ? "<<system>>" : undefined,
    }) as JsonObject;
  } catch (error) {
    if (error instanceof DataError) return new Map();
    throw error;
  }
}

function stopToken(source: PythonSource): JsonValue {
  for (const node of descendants(source.root, "String")) {
    const text = evaluate(source, node);
    if (typeof text === "string" && /^#+STOP#+$/.test(text)) return text;
  }
  throw unreadable(source, source.root, "there is no stop token");
}

function defaults(
  { user, react, few }: {
    user: PythonSource;
    react: PythonSource;
    few: PythonSource;
  },
): JsonObject {
  const of = (
    source: PythonSource,
    className: string,
    name: string,
    parameter: string,
  ) => parameterDefault(source, method(source, className, name), parameter);
  return new Map([
    ["max_num_steps", of(react, "ChatReActAgent", "solve", "max_num_steps")],
    [
      "num_few_shots",
      of(few, "FewShotToolCallingAgent", "__init__", "num_few_shots"),
    ],
    [
      "verify_max_attempts",
      of(user, "VerifyUserSimulationEnv", "__init__", "max_attempts"),
    ],
    [
      "reflection_max_attempts",
      of(user, "ReflectionUserSimulationEnv", "__init__", "max_attempts"),
    ],
  ]);
}

function parameterDefault(
  source: PythonSource,
  node: Node,
  name: string,
): JsonValue {
  const list = children(node).find((part) => part.name === "ParamList");
  const parts = list === undefined ? [] : children(list);
  const at = parts.findIndex((part) =>
    part.name === "VariableName" && textOf(source, part) === name
  );
  const rest = parts.slice(at + 1).filter((part) => part.name !== "TypeDef");
  if (at >= 0 && rest[0]?.name === "AssignOp" && rest[1]) {
    return evaluate(source, rest[1]);
  }
  throw unreadable(source, node, `the parameter "${name}" has no default`);
}

function method(source: PythonSource, className: string, name: string): Node {
  const owner = definition(source, source.root, "ClassDefinition", className);
  if (owner === undefined) {
    throw unreadable(source, source.root, `there is no class "${className}"`);
  }
  const node = definition(source, bodyOf(owner), "FunctionDefinition", name);
  if (node !== undefined) return node;
  throw unreadable(source, owner, `the class has no method "${name}"`);
}

function functionNamed(source: PythonSource, name: string): Node {
  const node = definition(source, source.root, "FunctionDefinition", name);
  if (node !== undefined) return node;
  throw unreadable(source, source.root, `there is no function "${name}"`);
}

function returned(source: PythonSource, node: Node): Node {
  const [statement] = [...descendants(bodyOf(node), "ReturnStatement")];
  const value = statement && children(statement)[1];
  if (value !== undefined) return value;
  throw unreadable(source, node, "the function returns nothing");
}

/**
 * Finds a value that is assigned to a target anywhere in a function. Optionally, the value must be a node of a given
 * kind.
 */
function assigned(
  source: PythonSource,
  within: Node,
  target: string,
  kind?: string,
): Node {
  for (const block of [bodyOf(within), ...descendants(within, "Body")]) {
    const value = assignments(block, source).get(target);
    if (value !== undefined && (kind ?? value.name) === value.name) {
      return value;
    }
  }
  throw unreadable(source, within, `nothing is assigned to "${target}"`);
}

function known(
  source: PythonSource,
  node: Node,
  names: Readonly<Record<string, string>>,
): JsonValue {
  return evaluate(source, node, {
    name: (name) => Object.hasOwn(names, name) ? names[name] : undefined,
  });
}
