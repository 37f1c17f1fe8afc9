/** Taking recorded turns again: what both sides said and called is known, so nobody is asked. */

import type { AnsweredCall, TakenTurns, ToolCall, Turn } from "../../types.ts";
import {
  callingReply,
  type Orchestrator,
  SOLO_STOP_TOOL,
} from "./orchestrator.ts";

/** What stands for words that no record has. */
const UNKNOWN_WORDS = "…";

/** Settings of {@linkcode retakeTurns}. */
export interface RetakeOptions extends Pick<TakenTurns, "firstMessage"> {
  /** Called with the turn after each message and its answers. */
  readonly onMessage?: (turn: number) => void;
}

/**
 * Brings a conversation that has just begun to where the turns left theirs. Calls that were made at once are taken one a
 * message, so that there may be more steps than there were.
 * @throws {RaisedError} If a turn cannot be taken.
 */
export function retakeTurns(
  talk: Orchestrator,
  turns: readonly Turn[],
  { firstMessage = UNKNOWN_WORDS, onMessage = () => {} }: RetakeOptions = {},
): void {
  const [first] = turns;
  if (!talk.isSolo) userSpeaks(firstMessage, first?.openingCalls, 0);
  for (const [index, turn] of turns.entries()) {
    if ("ended" in talk.next) return;
    takeTurn(turn, index);
  }

  function takeTurn({ action, observation }: Turn, index: number): void {
    if (action.type === "tool") {
      const beside = stopAmong(action.beside ?? []);
      talk.reply(callingReply({ ...action, beside }, talk));
      onMessage(index);
    } else if (action.content.trim() !== "") {
      talk.reply({ content: action.content });
      if (talk.isSolo) return;
      const { content, userCalls, end = "user_stop" } = observation;
      // What a limit ended had no last word.
      const isCut = content === "" && end !== "user_stop";
      userSpeaks(isCut ? null : content, userCalls, index);
    }
  }

  /** The call that ends a message of a solo agent, of which the others are not run. */
  function stopAmong(calls: readonly ToolCall[]): readonly ToolCall[] {
    return talk.isSolo
      ? calls.filter(({ name }) => name === SOLO_STOP_TOOL)
      : [];
  }

  function userSpeaks(
    words: string | null,
    calls: readonly AnsweredCall[] = [],
    index: number,
  ): void {
    for (const { call } of calls) {
      if ("ended" in talk.next) return;
      talk.reply({ content: "", toolCalls: [call] });
      onMessage(index);
    }
    if (words === null || "ended" in talk.next) return;
    talk.reply({ content: words.trim() === "" ? UNKNOWN_WORDS : words });
  }
}
