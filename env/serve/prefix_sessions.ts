/**
 * Assigns requests that name no session to sessions of a token model. As in a radix cache, a request continues the idle
 * session with the longest common prefix.
 */

import type { GenerateRequest, GenerateResult, TokenModel } from "../types.ts";

/**
 * The maximum number of sessions to keep, unless more are busy. The least recently used idle session is dropped first.
 */
const MAX_SESSIONS = 256;

/** The minimum number of tokens that a request must share with a session to continue it. */
const MIN_SHARED = 8;

/** A result together with the number of prompt tokens that were cached. */
export interface CachedResult extends GenerateResult {
  readonly cachedTokens: number;
}

/** A token model whose requests need no session id. */
export interface PrefixSessions {
  generate(request: Omit<GenerateRequest, "session">): Promise<CachedResult>;
  /** The number of running requests. */
  readonly running: number;
  /** Drops all sessions without a running request. */
  flush(): void;
}

interface Session {
  readonly name: string;
  ids: readonly number[];
  busy: boolean;
}

/** Wraps a token model so that requests need no session id. */
export function prefixSessions(model: TokenModel): PrefixSessions {
  /** The sessions, least recently used first. */
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
