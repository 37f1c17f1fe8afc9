/**
 * Asks a judge about failed episodes. The judge is a model that decides who is at fault, using the fault types of
 * τ-bench's error identification.
 * @see sierra-research/tau-bench at 59a200c, auto_error_identification.py, for the fault types.
 */

import { z } from "zod";
import type { Diagnosis } from "../../env/diagnosis/diagnose.ts";
import { printPythonJson } from "../../env/python/python_json.ts";
import type { CallOptions, ChatModel, Task, Turn } from "../../env/types.ts";

/** The schema of a judge's verdict. */
export const verdictSchema = z.object({
  fault: z.enum(["agent", "user", "environment"]),
  kind: z.enum(["wrong_tool", "wrong_argument", "goal_partly_done", "other"]),
  why: z.string(),
});

/** A judge's verdict. */
export type Verdict = z.infer<typeof verdictSchema>;

/** A failed episode to judge. */
export interface Case {
  readonly task: Task;
  readonly turns: readonly Turn[];
  readonly diagnosis: Diagnosis;
}

const QUESTION =
  `You judge a conversation between a customer and a support agent that did not end as it should. Say whose fault it is, and of which kind.

Whose fault:
- agent: the agent called a wrong tool, gave wrong arguments, left something out, or went against what the customer clearly wanted.
- user: the customer did not follow their instruction: left too early, asked for something else, told something that it does not hold.
- environment: the expected actions or outputs are themselves wrong, or contradict the instruction.

Which kind:
- wrong_tool: a tool was called that should not have been, or another one should have.
- wrong_argument: the right tool was called with a wrong argument.
- goal_partly_done: what was done is right, and something is missing.
- other

Answer with one JSON object and nothing else:
{"fault": "agent" | "user" | "environment", "kind": "wrong_tool" | "wrong_argument" | "goal_partly_done" | "other", "why": "<one sentence>"}`;

/**
 * Asks the judge about a failed episode, and asks again if the first answer cannot be understood.
 * @returns The verdict, or `null` if the second answer cannot be understood either.
 * @throws {InfrastructureError} If the model cannot be reached.
 */
export async function judge(
  model: ChatModel,
  { task, turns, diagnosis }: Case,
  options: CallOptions & { readonly seed?: number } = {},
): Promise<Verdict | null> {
  const chat = model.chat({ tools: [], seed: options.seed ?? 0 });
  try {
    const first = await chat.send([
      { role: "user", content: promptOf({ task, turns, diagnosis }) },
    ], options);
    const verdict = readVerdict(first.content);
    if (verdict !== null) return verdict;
    const again = await chat.send([{
      role: "user",
      content: `That is not such an object. ${QUESTION}`,
    }], options);
    return readVerdict(again.content);
  } finally {
    chat.close();
  }
}

/**
 * Returns the verdict in an answer, ignoring the text around it; `null` if there is none. The last JSON object counts,
 * because some models write their reasoning first.
 */
export function readVerdict(text: string): Verdict | null {
  const to = text.lastIndexOf("}") + 1;
  for (const from of [text.lastIndexOf("{", to), text.indexOf("{")]) {
    if (from === -1) continue;
    try {
      return verdictSchema.parse(JSON.parse(text.slice(from, to)));
    } catch {
      continue; // the verdict may start at another brace
    }
  }
  return null;
}

function promptOf({ task, turns, diagnosis }: Case): string {
  const parts = [
    ["The customer's instruction", task.instruction],
    ["The actions that were expected", task.actions.map(callText).join("\n")],
    ["What the agent should have told", task.outputs.join("\n")],
    ["The conversation", turns.map(turnText).join("\n")],
    ["What came out wrong", wrongText(diagnosis)],
  ].map(([title, text]) => `## ${title}\n${text || "(nothing)"}`);
  return `${QUESTION}\n\n${parts.join("\n\n")}`;
}

function turnText({ action, observation }: Turn): string {
  const said = action.type === "respond"
    ? `Agent: ${action.content}`
    : `Agent calls ${callText(action.call)}`;
  const who = observation.source === "user" ? "Customer" : "Tool";
  return `${said}\n${who}: ${observation.content}`;
}

function callText(
  { name, arguments: args }: Task["actions"][number],
): string {
  return `${name} ${printPythonJson(args)}`;
}

function wrongText({ reward }: Diagnosis): string {
  const rows = (reward?.differences ?? []).flatMap(({ table, id, fields }) =>
    fields.map(({ path, expected, actual }) =>
      `${table} ${id} ${path}: is ${actual}, should be ${expected}`
    )
  );
  const outputs = (reward?.missingOutputs ?? []).map((one) =>
    `not told: ${one}`
  );
  return [...rows, ...outputs].join("\n");
}
