/** Formats a conversation for a terminal: the task, the messages, the reward and the reasons for it. */

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

/** The outcome of a conversation: the fields of an {@linkcode Episode} that are shown at its end. */
export type Outcome = Pick<
  Episode,
  "stopReason" | "reward" | "turns" | "failure"
>;

const PROMPT = "you:   ";
/** The maximum number of characters in the line of a tool call, in its arguments, and in a value. */
const FOLD = { line: 110, arguments: 60, value: 60 };

/** Prints a conversation to a terminal as it progresses. */
export class ChatView {
  readonly #terminal: Terminal;
  /** Whether the terminal echoes the person's input. Input from a pipe has to be printed. */
  readonly #echoes: boolean;

  constructor(terminal: Terminal, { echoes }: { echoes: boolean }) {
    this.#terminal = terminal;
    this.#echoes = echoes;
  }

  /** Writes the text of the task, or a message from the agent. */
  write(text: string, what: "task" | "message"): void {
    this.#terminal.talk(
      what === "task" ? `${text}\n` : `agent: ${printable(text)}`,
    );
  }

  /**
   * Writes a tool call and its observation on one line. Writes nothing for a turn with a message, because
   * {@linkcode write} writes the messages.
   */
  turn({ action, observation }: Turn): void {
    if (action.type === "respond") return;
    const { name, arguments: args } = action.call;
    const call = `${name} ${
      cut(spaced(printPythonJson(args)), FOLD.arguments)
    }`;
    const line = `  [${call} → ${spaced(observation.content)}`;
    this.#terminal.talk(`${cut(line, FOLD.line)}]\n`);
  }

  /** Writes a note that the agent's answer could not be parsed and another answer was requested. */
  parseError(message: string): void {
    this.#terminal.talk(
      `  [${cut(`unreadable answer: ${spaced(message)}`, FOLD.line)}]\n`,
    );
  }

  /**
   * Wraps a reader so that a prompt is shown before each line. A line that the terminal does not echo is printed after
   * the prompt.
   */
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

/** Returns the reward and the reasons for it, one per line. */
export function outcomeText(outcome: Outcome): string {
  const reasons = reasonsOf(outcome).map((reason) => `  ${reason}`);
  const value = outcome.reward?.value ?? "none";
  return [`reward ${value}`, ...reasons].join("\n");
}

/**
 * Returns the reasons for the reward, such as why the conversation was truncated, which rows differ, or which outputs
 * are missing.
 */
export function reasonsOf({ stopReason, reward, turns, failure }: Outcome) {
  if (reward === null) return [`not scored: ${failure?.message}`];
  const cutOff = CUT_OFF[stopReason];
  return [
    ...(cutOff === undefined ? [] : [
      `cut off after ${turns.length} ${
        turns.length === 1 ? "turn" : "turns"
      }: ${cutOff}`,
    ]),
    ...stateReasons(reward),
    ...outputReasons(reward),
    ...checkReasons(reward),
  ];
}

/** Returns a turn as an object for `--json`, with arguments as plain JSON. */
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

/** Explanations of why a conversation was truncated, keyed by stop reason. */
const CUT_OFF: Partial<Record<StopReason, string>> = {
  max_turns: "it reached the turn limit",
  out_of_tokens: "the agent's context or answer reached its token limit",
  agent_error: "the agent sent a message in a task without a user",
  parse_errors: "too many of the agent's answers could not be parsed",
};

function stateReasons({ differences, checks }: Reward): string[] {
  const counts = checks?.some(({ part, counts }) => part === "DB" && counts);
  if (counts === false) return [];
  return differences.length === 0
    ? ["the database is in the expected state"]
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
    ? ["the agent told you all required information"]
    : missingOutputs.map((output) => `the agent did not tell you "${output}"`);
}

/**
 * Describes the checks under a benchmark's rules that affect the reward and were not met or were not judged, except
 * those of the state and the outputs.
 */
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

/**
 * Replaces control characters except newlines and tabs. An untrained policy may emit them, and a terminal would
 * interpret them.
 */
function printable(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, "\ufffd");
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
