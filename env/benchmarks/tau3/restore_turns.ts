/** Restores a conversation from its recorded turns, without requesting messages from the agent or the user. */

import type {
  AnsweredCall,
  EarlierTurns,
  ToolCall,
  Turn,
} from "../../types.ts";
import {
  callingReply,
  type Orchestrator,
  SOLO_STOP_TOOL,
} from "./orchestrator.ts";

/** The placeholder for text that was not recorded. */
const UNKNOWN_WORDS = "…";

/** Options for {@linkcode restoreTurns}. */
export interface RestoreTurnsOptions
  extends Pick<EarlierTurns, "firstMessage"> {
  /** Called after each message that has calls, when their results are known, with the index of the turn. */
  readonly onMessage?: (turn: number) => void;
}

/**
 * Replays the turns in a conversation that has just started. Each of several parallel calls is sent as a separate
 * message, so there may be more steps than in the original conversation. If the conversation ends before the last turn,
 * the remaining turns are ignored.
 * @throws {RaisedError} If a turn cannot be replayed.
 */
export function restoreTurns(
  orchestrator: Orchestrator,
  turns: readonly Turn[],
  { firstMessage = UNKNOWN_WORDS, onMessage = () => {} }: RestoreTurnsOptions =
    {},
): void {
  const [first] = turns;
  if (!orchestrator.isSolo) userSpeaks(firstMessage, first?.openingCalls, 0);
  for (const [index, turn] of turns.entries()) {
    if ("ended" in orchestrator.next) return;
    takeTurn(turn, index);
  }

  function takeTurn({ action, observation }: Turn, index: number): void {
    if (action.type === "tool") {
      const beside = stopAmong(action.beside ?? []);
      orchestrator.reply(callingReply({ ...action, beside }, orchestrator));
      onMessage(index);
    } else if (action.content.trim() !== "") {
      orchestrator.reply({ content: action.content });
      if (orchestrator.isSolo) return;
      const { content, userCalls, end = "user_stop" } = observation;
      // An episode that a limit ended has no final user message.
      const isCut = content === "" && end !== "user_stop";
      userSpeaks(isCut ? null : content, userCalls, index);
    }
  }

  /**
   * Returns only the call that ends a solo agent's work, because the other calls in its message are not run. The list
   * is empty if there is no such call.
   */
  function stopAmong(calls: readonly ToolCall[]): readonly ToolCall[] {
    return orchestrator.isSolo
      ? calls.filter(({ name }) => name === SOLO_STOP_TOOL)
      : [];
  }

  function userSpeaks(
    words: string | null,
    calls: readonly AnsweredCall[] = [],
    index: number,
  ): void {
    for (const { call } of calls) {
      if ("ended" in orchestrator.next) return;
      orchestrator.reply({ content: "", toolCalls: [call] });
      onMessage(index);
    }
    if (words === null || "ended" in orchestrator.next) return;
    orchestrator.reply({
      content: words.trim() === "" ? UNKNOWN_WORDS : words,
    });
  }
}
