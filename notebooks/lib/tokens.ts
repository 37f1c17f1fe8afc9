/** Where the tokens of episodes go, and how sure the policy was of each. */

import type { Tokenizer } from "../../env/tokens/tokenizer.ts";
import type { Trajectory } from "../../env/tokens/trajectory.ts";
import { html } from "./html.ts";
import { Rich } from "./rich.ts";
import type { Run } from "./run.ts";
import type { RunEpisode } from "../../train/runs/run_episodes.ts";

/**
 * What tokens are of: the policy's calls, its words, answers of it that could not be read; and what it was shown:
 * the opening (prompt and the user's first message), users, tools, notes on its mistakes.
 */
export const TOKEN_KINDS = [
  "calls",
  "words",
  "opening",
  "users",
  "tools",
  "mistakes",
] as const;

/** What a token is of. */
export type TokenKind = typeof TOKEN_KINDS[number];

/** Tokens by what they are of. */
export type TokenCounts = Readonly<Record<TokenKind, number>>;

/**
 * Counts the tokens of an episode by what they are of. Templates' marks go with the message that they stand beside.
 * @param messages As the store has them: JSON text.
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
    // Answers and what is shown between them take turns, an opening first.
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

/** What each span of tokens is of: the opening, then an answer, what it was answered, and so on. */
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

/** The mean counts of some episodes of a run; `null` where it kept the tokens of none. */
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
 * The tokens of an episode as they trained: what was shown is dim, what was sampled is tinted the more, the less
 * likely it was. The probability of each is its tooltip.
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

/** Clear where it was certain, the full tint at a probability of 1 in 50 and below. */
function tint(logprob: number): string {
  const surprise = Math.min(1, -logprob / Math.log(50));
  return `rgb(209 73 91 / ${(0.06 + 0.6 * surprise).toFixed(2)})`;
}
