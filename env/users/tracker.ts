/**
 * Detects faults of simulated users. The structured goal of a generated task shows what the user may know, when the
 * user's requests are settled, and what the user should not reveal yet.
 */

import { isErrorAnswer } from "../call_tool.ts";
import type { Database } from "../database.ts";
import type { Domain, GoalsPart } from "../domain.ts";
import { type Goal, needsWrite } from "../domains/shared/goal/goal.ts";
import { STOP, type Task, type Turn, type UserFinding } from "../types.ts";
import {
  inventedFacts,
  knownText,
  mentions,
  overlap,
  plain,
} from "./_tracker_text.ts";

/** Options for {@linkcode trackUser}. */
export interface TrackOptions {
  readonly domain: Domain;
  /** The user's task. A message that recites the task's instruction is an echo. */
  readonly task: Task;
  /** The database in its initial state. A user knows their own rows in this database. */
  readonly database: Database;
  readonly firstMessage: string;
  readonly turns: readonly Turn[];
  /** Whether a script plays the user. If so, repetition is not a fault. Default: false. */
  readonly isScripted?: boolean;
}

/** The maximum number of messages without a request that a user may send after all writes have happened. */
const PATIENCE = 3;

/** The minimum number of characters in an echo. Shorter texts may be equal by chance. */
const MIN_ECHO = 24;

/** A user message in its context. */
interface UserMessage {
  readonly index: number;
  readonly text: string;
  /** The agent's message that the user answers; empty for the user's first message. */
  readonly heard: string;
  /** The turns before the message. */
  readonly before: readonly Turn[];
}

/**
 * Returns the first fault of each kind, or `null` if the user's goal is unknown.
 *
 * - `leak`: one message reveals new details of every request, if there are several, or the first message reveals all
 *   details of a request that has several and is not `forthcoming`. Details that requests share do not count.
 * - `invention`: an id, an e-mail address or a number of 4 to 10 digits that is not in the goal, the instruction, the
 *   user's rows or the agent's earlier messages.
 * - `early_stop`: the stop token before a request's write has happened, although the agent neither refused nor claimed
 *   to be done. Long conversations are exempt.
 * - `echo`: a message that repeats the agent's message, the instruction or, unless a script plays the user, the user's
 *   previous message in answer to a different question.
 * - `endless`: more than {@linkcode PATIENCE} messages without a request after all writes have happened.
 */
export function trackUser(options: TrackOptions): UserFinding[] | null {
  const { task, domain } = options;
  const { goals } = domain;
  if (task.goal === undefined || goals === undefined) return null;
  const track = { ...options, goal: task.goal as Goal, goals };
  const messages = messagesOf(options);
  const findings = [
    findLeak(messages, track),
    findInvention(messages, track),
    findEarlyStop(messages, track),
    findEcho(messages, track),
    findEndless(messages, track),
  ];
  return findings.filter((finding) => finding !== undefined);
}

/** The options of {@linkcode trackUser}, together with the domain's goals. */
interface Track extends TrackOptions {
  readonly goal: Goal;
  readonly goals: GoalsPart;
}

function messagesOf({ firstMessage, turns }: TrackOptions): UserMessage[] {
  const messages: UserMessage[] = [
    { index: 0, text: firstMessage, heard: "", before: [] },
  ];
  for (const [i, { action, observation }] of turns.entries()) {
    if (action.type !== "respond") continue;
    messages.push({
      index: messages.length,
      text: observation.content,
      heard: action.content,
      before: turns.slice(0, i),
    });
  }
  return messages;
}

function findLeak(
  messages: readonly UserMessage[],
  { goal, goals }: Track,
): UserFinding | undefined {
  const details = ownDetails(goal, goals);
  const told = new Set<string>();
  for (const { index, text, heard } of messages) {
    const fresh = details.map((all) =>
      all.filter((detail) => !told.has(detail) && mentions(text, detail))
    );
    for (const detail of fresh.flat()) told.add(detail);
    const everything = details.length > 1 &&
      fresh.every((found) => found.length > 0);
    const unasked = heard === "" &&
      goal.requests.some((request, i) =>
        request.forthcoming !== true && details[i]!.length > 1 &&
        fresh[i]!.length === details[i]!.length
      );
    if (everything || unasked) {
      return {
        fault: "leak",
        message: index,
        evidence: fresh.flat().join("; "),
      };
    }
  }
  return undefined;
}

/** Returns, for each request, the details that no other request shares. */
function ownDetails(goal: Goal, goals: GoalsPart): string[][] {
  const all = goal.requests.map((request) => {
    const subject = goals.subject?.(request);
    return goal.requests.length > 1 && subject !== undefined
      ? [...goals.details(request), subject]
      : goals.details(request);
  });
  return all.map((details, i) =>
    details.filter((detail) =>
      !all.some((others, j) => i !== j && others.includes(detail))
    )
  );
}

function findInvention(
  messages: readonly UserMessage[],
  track: Track,
): UserFinding | undefined {
  const { rows } = track.domain;
  let known = knownText(track);
  for (const { index, text, heard } of messages) {
    known += ` ${heard}`;
    const [fact] = inventedFacts(text, { known, ids: rows?.ids });
    if (fact !== undefined) {
      return { fault: "invention", message: index, evidence: fact };
    }
  }
  return undefined;
}

/** Matches an agent's refusal or its claim to be done. A user may end the conversation after such a message. */
const CLOSING =
  /\b(cannot|can't|unable|sorry|not (?:able|possible|allowed)|won't|denied|done|all set|complete[d]?|has been|have been|is now|are now|cancell?ed|updated|changed|processed|requested|goodbye|bye)\b/i;

function findEarlyStop(
  messages: readonly UserMessage[],
  track: Track,
): UserFinding | undefined {
  const last = messages.at(-1);
  if (last === undefined || !last.text.includes(STOP)) return undefined;
  const open = openWrites(track, last.before);
  // A user may give up on a long conversation.
  const isLong = messages.length > 8;
  if (open.length === 0 || isLong || CLOSING.test(last.heard)) return undefined;
  return {
    fault: "early_stop",
    message: last.index,
    evidence: `not done yet: ${open.join(", ")}; the agent last said "${
      last.heard.slice(0, 80)
    }"`,
  };
}

function findEcho(
  messages: readonly UserMessage[],
  { task: { instruction }, isScripted = false }: TrackOptions,
): UserFinding | undefined {
  for (const [i, { index, text, heard }] of messages.entries()) {
    const words = plain(text);
    if (words.length < MIN_ECHO) continue;
    const previous = messages[i - 1];
    const again = !isScripted && previous !== undefined &&
      plain(previous.text) === words && !asksAgain(heard, previous.heard);
    if (
      again || overlap(words, plain(heard), { runs: 3 }) > 0.85 ||
      // There are few ways to phrase a short sentence.
      overlap(words, plain(instruction), { runs: 8 }) > 0.85
    ) {
      return { fault: "echo", message: index, evidence: text.slice(0, 120) };
    }
  }
  return undefined;
}

/** Words that occur in questions about any topic. */
const COMMON_WORDS = new Set(
  ("a about again also an and are as at be but by can could did do does for from give have help how i if in is it just " +
    "know let like may me more must my need no not now of on once one or our out please provide say see so sorry sure " +
    "tell thank thanks that the them then there these this to us want was we what when where which who will with would " +
    "yes you your").split(" "),
);

/**
 * Checks whether a question appears to rephrase an earlier question: at least half of their content words are shared.
 */
function asksAgain(question: string, earlier: string): boolean {
  const [a, b] = [question, earlier].map((text) =>
    new Set(plain(text).split(" ").filter((word) => !COMMON_WORDS.has(word)))
  ) as [Set<string>, Set<string>];
  const shared = a.intersection(b).size;
  return shared * 2 >= a.union(b).size;
}

function findEndless(
  messages: readonly UserMessage[],
  track: Track,
): UserFinding | undefined {
  if (!track.goal.requests.some(needsWrite)) return undefined;
  let idle = 0;
  for (const { index, text, before } of messages) {
    if (text.includes(STOP)) return undefined;
    if (openWrites(track, before).length > 0 || asksAnything(track, text)) {
      continue;
    }
    if (++idle > PATIENCE) {
      return {
        fault: "endless",
        message: index,
        evidence: `${idle} messages after everything was settled`,
      };
    }
  }
  return undefined;
}

/**
 * Checks whether a message mentions a detail of a request that needs no write: a question, or a request that the policy
 * forbids.
 */
function asksAnything({ goal, goals }: Track, text: string): boolean {
  return goal.requests.some((request) =>
    !needsWrite(request) &&
    [request.question ?? "", ...goals.details(request)].some((detail) =>
      detail !== "" && mentions(text, detail)
    )
  );
}

/** Returns the intents of requests whose write has not happened in the given turns. A transfer settles all requests. */
function openWrites(
  { goal, goals }: Pick<Track, "goal" | "goals">,
  turns: readonly Turn[],
): string[] {
  const open = goal.requests.filter(needsWrite).map(({ intent }) => intent);
  for (const { action, observation } of turns) {
    if (action.type !== "tool") continue;
    if (observation.end === "transfer") return [];
    const at = open.findIndex((one) => goals.tools[one] === action.call.name);
    if (at >= 0 && !isErrorAnswer(observation.content)) open.splice(at, 1);
  }
  return open;
}
