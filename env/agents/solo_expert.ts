/**
 * The expert where there is no user: it plays the task's scripted user itself, and makes their calls as its own. It
 * knows what the user's scenario says beyond the ticket, so that it shows that a task can be solved, and not by whom.
 */

import { MissingPartError, partOf } from "../domain.ts";
import { domainOf } from "../domains/registry.ts";
import { call } from "../domains/shared/call.ts";
import type { AgentStart, Observation } from "../types.ts";
import { Desk, type Move, type Script } from "./desk.ts";

/** What words of a scripted user that end a conversation have in them: `###STOP###`, `###TRANSFER###`. */
const STOP_MARK = "###";

/**
 * The expert's moves without a user: calls of both sides' tools alone, the last of which says that it is done.
 * @throws {MissingPartError} If the domain has no expert, or no scripted user with tools.
 */
export function soloScript(
  { dataset, task, seed }: AgentStart,
  stopTool: string,
): Script {
  const domain = domainOf(dataset);
  const serve = partOf(domain, "expert");
  const act = partOf(domain, "bundle").scriptedUser;
  if (act === undefined) throw new MissingPartError(domain, "scriptedUser");
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

/** What the user calls until they speak. @returns Their words; a stop mark where they have none. */
function* userTurn(user: Script, heard?: Observation): Script<string> {
  for (;;) {
    const move = nextMove(user, heard);
    if (move === undefined) return STOP_MARK;
    if (move.type === "say") return move.content;
    heard = yield move;
  }
}

/** A generator ignores what its first `next` is given. */
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
