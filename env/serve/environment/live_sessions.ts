/** Keeps the sessions of an environment server, keyed by id. Idle sessions are closed after a timeout. */

import { RequestError } from "../served_policy.ts";
import { LiveSession, type SessionWorld } from "./live_session.ts";
import { type SessionEnd, SessionMetrics } from "./session_metrics.ts";

/** Options for {@linkcode LiveSessions}. */
export interface LiveSessionsOptions {
  /** The maximum number of open sessions. Default: 4096. */
  readonly maxSessions?: number;
  /** The time without a request after which a session is closed, in milliseconds. Default: 30 minutes. */
  readonly idleMs?: number;
  /** Returns the time in milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
}

const MAX_SESSIONS = 4096;
const IDLE_MS = 30 * 60_000;

/** The open sessions of a server. Disposing of this object closes all of them. */
export class LiveSessions implements Disposable {
  readonly world: SessionWorld;
  readonly maxSessions: number;
  readonly idleMs: number;
  readonly metrics = new SessionMetrics();
  readonly #now: () => number;
  /** The sessions, keyed by id, each with the time of its last request. The least recently used session comes first. */
  readonly #open = new Map<string, { session: LiveSession; at: number }>();
  readonly #timer: ReturnType<typeof setInterval>;
  #next = 0;

  constructor(world: SessionWorld, options: LiveSessionsOptions = {}) {
    this.world = world;
    this.maxSessions = options.maxSessions ?? MAX_SESSIONS;
    this.idleMs = options.idleMs ?? IDLE_MS;
    this.#now = options.now ?? (() => performance.now());
    this.#timer = setInterval(
      () => this.sweep(),
      Math.min(60_000, Math.max(100, this.idleMs / 4)),
    );
    this.#timer.unref();
  }

  /** The number of open sessions. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Opens a session, which has no episode yet.
   * @throws {RequestError} With status 503 if `maxSessions` sessions are open, even after idle sessions have been
   * closed.
   */
  open(): LiveSession {
    if (this.#open.size >= this.maxSessions) this.sweep();
    if (this.#open.size >= this.maxSessions) {
      throw new RequestError(
        `The server has reached its limit of open sessions (${this.maxSessions}); close a session, or use another server`,
        503,
      );
    }
    const { world, metrics } = this;
    const session = new LiveSession({
      world,
      metrics,
      next: () => this.#next++,
    });
    this.#open.set(session.id, { session, at: this.#now() });
    metrics.opened(this.#open.size);
    return session;
  }

  /**
   * Returns the session with this id, and restarts its idle timeout.
   * @throws {RequestError} With status 404 if there is none.
   */
  get(id: string): LiveSession {
    const found = this.#open.get(id);
    if (found === undefined) {
      const why = id === ""
        ? "The request names no session"
        : `There is no session "${id}": it was closed, was idle for ${
          this.idleMs / 1000
        } s, or belongs to another server`;
      throw new RequestError(
        `${why}; reset without a session id to open a session`,
        404,
      );
    }
    this.#open.delete(id);
    found.at = this.#now();
    this.#open.set(id, found);
    return found.session;
  }

  /** Closes a session. Does nothing if it is not open. */
  close(id: string, by: SessionEnd = "closed"): void {
    const found = this.#open.get(id);
    if (found === undefined) return;
    this.#open.delete(id);
    found.session.close();
    this.metrics.closed(this.#open.size, by);
  }

  /** Closes sessions that have been idle for too long. A session that is handling a request is not idle. */
  sweep(): void {
    const last = this.#now() - this.idleMs;
    for (const [id, { session, at }] of this.#open) {
      if (at > last) return;
      if (!session.isBusy) this.close(id, "idle");
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const id of [...this.#open.keys()]) this.close(id, "shutdown");
  }
}
