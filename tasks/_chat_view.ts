/** What the user at the terminal sees: the task, the conversation, the reward and its reasons. */

import { printPythonJson, toPlain } from "../env/python/python_json.ts";
import type {
  Episode,
  Reward,
  RowDifference,
  StopReason,
  Turn,
} from "../env/types.ts";
import type { LineReader } from "../env/users/human.ts";
import type { Terminal } from "./_terminal.ts";

/** What a conversation came to; the parts of an {@linkcode Episode} that are told. */
export type Outcome = Pick<
  Episode,
  "stopReason" | "reward" | "turns" | "failure"
>;

const PROMPT = "you:   ";
/** Characters of a folded tool call, and of its arguments among them. */
const FOLD = { line: 110, arguments: 60, value: 60 };

/** The conversation on the terminal. */
export class ChatView {
  readonly #terminal: Terminal;
  /** Whether the person's own typing is seen; what comes out of a pipe has to be shown. */
  readonly #echoes: boolean;

  constructor(terminal: Terminal, { echoes }: { echoes: boolean }) {
    this.#terminal = terminal;
    this.#echoes = echoes;
  }

  /** The task, or the agent's words. */
  write(text: string, what: "task" | "message"): void {
    this.#terminal.talk(
      what === "task" ? `${text}\n` : `agent: ${printable(text)}`,
    );
  }

  /** A tool call and what it showed, on one line. What was said shows itself. */
  turn({ action, observation }: Turn): void {
    if (action.type === "respond") return;
    const { name, arguments: args } = action.call;
    const call = `${name} ${
      cut(spaced(printPythonJson(args)), FOLD.arguments)
    }`;
    const line = `  [${call} → ${spaced(observation.content)}`;
    this.#terminal.talk(`${cut(line, FOLD.line)}]\n`);
  }

  /** An answer that the agent was told to give again. */
  parseError(message: string): void {
    this.#terminal.talk(
      `  [${cut(`unreadable answer: ${spaced(message)}`, FOLD.line)}]\n`,
    );
  }

  /** Asks for each line by a prompt. */
  prompting(readLine: LineReader): LineReader {
    return async (options) => {
      if (this.#echoes) this.#terminal.talk(PROMPT);
      const line = await readLine(options);
      if (this.#echoes && line === null) this.#terminal.talk("\n");
      if (!this.#echoes && line?.trim()) {
        this.#terminal.talk(`${PROMPT}${line.trim()}\n`);
      }
      return line;
    };
  }
}

/** The reward with its reasons, a line each. */
export function outcomeText(outcome: Outcome): string {
  const reasons = reasonsOf(outcome).map((reason) => `  ${reason}`);
  const value = outcome.reward?.value ?? "none";
  return [`reward ${value}`, ...reasons].join("\n");
}

/** Why the reward is what it is: what cut the conversation short, what differs, what was not told. */
export function reasonsOf({ stopReason, reward, turns, failure }: Outcome) {
  if (reward === null) return [`not scored: ${failure?.message}`];
  const cutOff = CUT_OFF[stopReason];
  return [
    ...(cutOff === undefined
      ? []
      : [`cut off after ${turns.length} turns: ${cutOff}`]),
    ...stateReasons(reward),
    ...outputReasons(reward),
    ...checkReasons(reward),
  ];
}

/** What a program gets of a turn: arguments as plain JSON. */
export function turnJson({ action, observation }: Turn) {
  if (action.type === "respond") return { action, observation };
  const { call } = action;
  return {
    action: {
      ...action,
      call: { ...call, arguments: toPlain(call.arguments) },
    },
    observation,
  };
}

/** What ends a conversation before its end. */
const CUT_OFF: Partial<Record<StopReason, string>> = {
  max_turns: "the agent came to no end",
  out_of_tokens: "the agent's context or its answer was full",
  agent_error: "the agent spoke where there is no user",
  parse_errors: "too many answers of the agent could not be read",
};

function stateReasons({ differences, checks }: Reward): string[] {
  const counts = checks?.some(({ part, counts }) => part === "DB" && counts);
  if (counts === false) return [];
  return differences.length === 0
    ? ["the database is as it should be"]
    : differences.flatMap(rowReasons);
}

function rowReasons({ table, id, fields }: RowDifference): string[] {
  return fields.map(({ path, expected, actual }) =>
    `${table} "${id}": ${path || "the row"} should be ${shown(expected)}, is ${
      shown(actual)
    }`
  );
}

function outputReasons({ parts, missingOutputs }: Reward): string[] {
  if (parts.outputs === null) return [];
  return missingOutputs.length === 0
    ? ["all that was asked was told"]
    : missingOutputs.map((output) => `the agent did not tell you "${output}"`);
}

/** What else a benchmark's own rules look at. */
function checkReasons({ checks = [] }: Reward): string[] {
  const others = checks.filter(({ part, counts, met }) =>
    counts && met !== true && part !== "DB" && part !== "COMMUNICATE"
  );
  return others.map(({ what, met }) =>
    `${met === null ? "not judged" : "not met"}: ${spaced(what)}`
  );
}

function shown(value: string | null): string {
  return value === null ? "absent" : cut(spaced(value), FOLD.value);
}

function spaced(text: string): string {
  return printable(text).replace(/\s+/g, " ").trim();
}

/** A policy that has not learnt to speak says any character, those that command a terminal too. */
function printable(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, "\ufffd");
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
