/** Counts the tokens of episodes by kind, and shows the policy's probability of each token. */

import type { Tokenizer } from "../../env/tokens/tokenizer.ts";
import type { Trajectory } from "../../env/tokens/trajectory.ts";
import { html } from "./html.ts";
import { Rich } from "./rich.ts";
import type { Run } from "./run.ts";
import type { RunEpisode } from "../../train/runs/run_episodes.ts";

/**
 * The kinds of tokens. `calls`, `words`: the policy's tool calls and messages. `opening`: the prompt and the user's
 * first message. `users`: later messages of the user. `tools`: tool results. `mistakes`: the policy's answers that
 * cannot be parsed, and the error messages about them.
 */
export const TOKEN_KINDS = [
  "calls",
  "words",
  "opening",
  "users",
  "tools",
  "mistakes",
] as const;

/** A kind of token. */
export type TokenKind = typeof TOKEN_KINDS[number];

/** The number of tokens of each kind. */
export type TokenCounts = Readonly<Record<TokenKind, number>>;

/**
 * Counts the tokens of an episode by kind. Markers of the chat template are counted as part of the adjacent message.
 * @param messages The messages of the episode as JSON text, as they are stored.
 */
export function tokenCounts(
  trajectory: Trajectory,
  messages: string,
): TokenCounts {
  const counts = {
    calls: 0,
    words: 0,
    opening: 0,
    users: 0,
    tools: 0,
    mistakes: 0,
  };
  const kinds = kindsOf(JSON.parse(messages) as StoredMessage[]);
  const { lossMask } = trajectory;
  let span = 0;
  lossMask.forEach((mask, at) => {
    // Spans alternate between shown and sampled tokens, starting with the opening.
    if (at > 0 && mask !== lossMask[at - 1]) span++;
    counts[kinds[span] ?? "words"]++;
  });
  return counts;
}

interface StoredMessage {
  readonly role: string;
  readonly content: string;
  readonly toolCalls?: readonly unknown[];
}

/**
 * Returns the kind of each span of tokens: the opening, then alternately an answer of the policy and the observation
 * that follows it.
 */
function kindsOf(messages: readonly StoredMessage[]): TokenKind[] {
  const kinds: TokenKind[] = ["opening"];
  for (const [i, message] of messages.entries()) {
    if (message.role !== "assistant") continue;
    const next = messages[i + 1];
    const isMistake = next?.role === "user" &&
      next.content.startsWith("Error: ");
    kinds.push(isMistake ? "mistakes" : isCall(message) ? "calls" : "words");
    kinds.push(
      isMistake ? "mistakes" : next?.role === "tool" ? "tools" : "users",
    );
  }
  return kinds;
}

function isCall({ toolCalls }: StoredMessage): boolean {
  return (toolCalls?.length ?? 0) > 0;
}

/** Returns the mean counts over the episodes for which the run stored tokens, or `null` if there are none. */
export function meanTokenCounts(
  run: Run,
  episodes: readonly RunEpisode[],
): TokenCounts | null {
  const all = episodes.flatMap((episode) => {
    const trajectory = run.trajectory(episode);
    return trajectory === null
      ? []
      : [tokenCounts(trajectory, episode.messages())];
  });
  if (all.length === 0) return null;
  return Object.fromEntries(
    TOKEN_KINDS.map((kind) => [
      kind,
      all.reduce((sum, counts) => sum + counts[kind], 0) / all.length,
    ]),
  ) as Record<TokenKind, number>;
}

/**
 * Shows the tokens of an episode as they are used in training. Tokens that were not sampled are dim. Sampled tokens
 * have a tooltip with their probability, and a tint that is stronger for less likely tokens.
 */
export function showTokens(
  { ids, lossMask, logprobs }: Trajectory,
  tokenizer: Pick<Tokenizer, "decode">,
): Rich {
  const texts = ids.map((id) => tokenizer.decode([id]));
  return new Rich({
    html: html`
      <div class="words">${texts.map((text, t) =>
        lossMask[t] === 1
          ? html`
            <span class="tok" style="background:${tint(logprobs[t]!)}"
              title="p ${Math.exp(logprobs[t]!).toFixed(3)}">${text}</span>
          `
          : html`<span class="tok dim">${text}</span>`
      )}</div>
    `,
    text: texts.join(""),
  });
}

/**
 * Returns the tint of a token. The tint is faintest at probability 1, and strongest at probabilities of 1/50 and below.
 */
function tint(logprob: number): string {
  const surprise = Math.min(1, -logprob / Math.log(50));
  return `rgb(209 73 91 / ${(0.06 + 0.6 * surprise).toFixed(2)})`;
}
