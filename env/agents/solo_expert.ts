/**
 * Implements the expert agent for tasks without a user. The expert also plays the task's scripted user, and makes the
 * user's calls itself. It knows more than the ticket says, so its success shows that a task can be solved, but not that
 * an agent could solve it.
 */

import { MissingPartError, partOf } from "../domain.ts";
import { domainOf } from "../domains/registry.ts";
import { call } from "../domains/shared/call.ts";
import type { AgentStart, Observation } from "../types.ts";
import { Desk, type Move, type Script } from "./desk.ts";

/** The prefix of the tokens with which a scripted user ends a conversation: `###STOP###`, `###TRANSFER###`. */
const STOP_MARK = "###";

/**
 * Yields the expert's moves for an episode without a user. Every move is a call to a tool of the agent or of the user.
 * The last call reports that the task is done.
 * @throws {MissingPartError} If the domain has no expert, or no scripted user with tools.
 */
export function soloScript(
  { dataset, task, seed }: AgentStart,
  stopTool: string,
): Script {
  const domain = domainOf(dataset);
  const serve = partOf(domain, "expert");
  const act = partOf(domain, "bundle").scriptedUser;
  if (act === undefined) {
    throw new MissingPartError(domain, "scriptedUser", "bundle.scriptedUser");
  }
  const user = act({ task, seed });
  return playBoth({
    user,
    expert: (opening) =>
      serve({ desk: new Desk(opening), task, database: dataset.database }),
    stopTool,
  });
}

function* playBoth({ user, expert, stopTool }: {
  readonly user: Script;
  expert(opening: string): Script;
  readonly stopTool: string;
}): Script {
  let words = yield* userTurn(user);
  const script = expert(words);
  let heard: Observation | undefined;
  while (!words.includes(STOP_MARK)) {
    const move = nextMove(script, heard);
    if (move === undefined) break;
    if (move.type === "call") heard = yield move;
    else {
      words = yield* userTurn(user, told(move.content));
      heard = told(words);
    }
  }
  yield { type: "call", action: call(stopTool, {}), content: "" };
}

/**
 * Yields the user's calls until the user says something.
 * @returns The user's message, or a stop token if the user has nothing more to say.
 */
function* userTurn(user: Script, heard?: Observation): Script<string> {
  for (;;) {
    const move = nextMove(user, heard);
    if (move === undefined) return STOP_MARK;
    if (move.type === "say") return move.content;
    heard = yield move;
  }
}

/**
 * Returns the script's next move, or `undefined` if the script has ended. A generator ignores the argument of its first
 * `next`.
 */
function nextMove(
  script: Script,
  heard: Observation | undefined,
): Move | undefined {
  const { value, done } = script.next(heard as Observation);
  return done ? undefined : value;
}

function told(content: string): Observation {
  return { source: "user", content, done: false };
}
