/**
 * Finds the session that a request goes on with, where its sender does not say: the one that shares the longest
 * beginning with it, as a radix cache would.
 */

import type { GenerateRequest, GenerateResult, TokenModel } from "../types.ts";

/** Sessions that are kept; the one that was used longest ago goes first. */
const MAX_SESSIONS = 256;

/** Fewer shared tokens are not worth another conversation's session. */
const MIN_SHARED = 8;

/** An answer, and how many of the prompt's tokens were known already. */
export interface CachedResult extends GenerateResult {
  readonly cachedTokens: number;
}

/** Generates from ids alone. */
export interface PrefixSessions {
  generate(request: Omit<GenerateRequest, "session">): Promise<CachedResult>;
  /** Requests under way. */
  readonly running: number;
  /** Lets all idle sessions go. */
  flush(): void;
}

interface Session {
  readonly name: string;
  ids: readonly number[];
  busy: boolean;
}

/** Sessions over a model. */
export function prefixSessions(model: TokenModel): PrefixSessions {
  /** In the order of their last use. */
  const sessions = new Set<Session>();
  let made = 0;
  let running = 0;

  function take(ids: readonly number[]): { session: Session; shared: number } {
    let best: Session | undefined;
    let shared = MIN_SHARED - 1;
    for (const session of sessions) {
      if (session.busy) continue;
      const length = sharedLength(session.ids, ids);
      if (length > shared) [best, shared] = [session, length];
    }
    if (best !== undefined) {
      sessions.delete(best);
      sessions.add(best);
      return { session: best, shared };
    }
    makeRoom();
    const session = { name: `http/${made++}`, ids: [], busy: false };
    sessions.add(session);
    return { session, shared: 0 };
  }

  function makeRoom(): void {
    for (const session of sessions) {
      if (sessions.size < MAX_SESSIONS) return;
      if (!session.busy) drop(session);
    }
  }

  function drop(session: Session): void {
    sessions.delete(session);
    model.release?.(session.name);
  }

  return {
    get running() {
      return running;
    },
    async generate(request) {
      const { session, shared } = take(request.ids);
      session.busy = true;
      running++;
      try {
        const ids = request.ids.slice();
        const result = await model.generate({
          ...request,
          session: session.name,
        });
        session.ids = [...ids, ...result.ids];
        return { ...result, cachedTokens: Math.min(shared, ids.length) };
      } finally {
        session.busy = false;
        running--;
      }
    },
    flush() {
      for (const session of sessions) if (!session.busy) drop(session);
    },
  };
}

function sharedLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length++;
  return length;
}
